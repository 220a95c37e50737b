import { describe, MAX_PROBLEMS, type Problem } from "../json/problems";

export function ProblemList({ problems, onOpen }: { problems: readonly Problem[]; onOpen(problem: Problem): void }) {
  if (problems.length === 0) return null;
  return (
    <section class="problems" aria-label="Errors">
      <h2>
        Invalid JSON format ({problems.length}
        {problems.length >= MAX_PROBLEMS ? " or more" : ""})
      </h2>
      <ul>
        {problems.map((problem) => (
          <li key={`${problem.offset} ${problem.code}`}>
            <button type="button" class="link" onClick={() => onOpen(problem)}>
              {describe(problem)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
