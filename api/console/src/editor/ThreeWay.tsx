import { type Divergence, isConflict } from "../json/merge";
import { Path, Value } from "../widgets/small";
import { Table } from "../widgets/Table";

/** Every value that either side changed: before, theirs, mine; where both did, one is chosen. */
export function ThreeWay(props: {
  places: readonly Divergence[];
  choices: Record<string, "mine" | "theirs">;
  onChoose(path: string, side: "mine" | "theirs"): void;
}) {
  return (
    <Table caption="Three-way comparison" columns={["Value", "Before", "Theirs", "Mine", "Keep"]} class="three-way">
      {props.places.map((place) => (
        <tr key={place.path} class={isConflict(place) ? "disputed" : ""}>
          <td class="title">
            <Path pointer={place.path} />
          </td>
          <td data-label="Before">
            <Value literal={place.base} />
          </td>
          <td data-label="Theirs" class={place.by === "me" ? "quiet" : ""}>
            <Value literal={place.theirs} />
          </td>
          <td data-label="Mine" class={place.by === "them" ? "quiet" : ""}>
            <Value literal={place.mine} />
          </td>
          <td data-label="Keep">
            {isConflict(place) ? (
              <fieldset class="choice" aria-label={`Keep for ${place.path}`}>
                {(["theirs", "mine"] as const).map((side) => (
                  <label key={side} class="check">
                    <input
                      type="radio"
                      name={place.path}
                      checked={props.choices[place.path] === side}
                      onChange={() => props.onChoose(place.path, side)}
                    />
                    {side === "mine" ? "Mine" : "Theirs"}
                  </label>
                ))}
              </fieldset>
            ) : place.by === "me" ? (
              "Mine"
            ) : place.by === "them" ? (
              "Theirs"
            ) : (
              "Both alike"
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}
