import { Fact } from "../../widgets/small";
import { selectWords } from "./selection";

/** A selection in words. */
export function SelectWords({ select }: { select: string }) {
  return (
    <dl class="facts" aria-label="Selection">
      {selectWords(select).map(([name, value]) => (
        <Fact key={name} name={name}>
          {value}
        </Fact>
      ))}
    </dl>
  );
}
