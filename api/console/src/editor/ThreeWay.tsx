import { type Divergence, isConflict } from "../json/merge";
import { Path, Value } from "../widgets/small";

/** Every value that either side changed: before, theirs, mine; where both did, one is chosen. */
export function ThreeWay(props: {
  places: readonly Divergence[];
  choices: Record<string, "mine" | "theirs">;
  onChoose(path: string, side: "mine" | "theirs"): void;
}) {
  return (
    <div class="table-box">
      <table class="table three-way">
        <caption class="visually-hidden">Three-way comparison</caption>
        <thead>
          <tr>
            <th scope="col">Value</th>
            <th scope="col">Before</th>
            <th scope="col">Theirs</th>
            <th scope="col">Mine</th>
            <th scope="col">Keep</th>
          </tr>
        </thead>
        <tbody>
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
        </tbody>
      </table>
    </div>
  );
}
