// The console's JSON functions as a process: a line of JSON [before, after] is answered with a line of what they make of it.
// It runs in the console's folder: node <this file>
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { runnerImport } = await import(pathToFileURL(join(process.cwd(), "node_modules/vite/dist/node/index.js")));
const functions = async (name) => (await runnerImport(`./src/json/${name}.ts`)).module;
const [{ compare }, { compact, format }, { scan }, { raw, isContainer }, { literalFrom, typedFrom }] = await Promise.all(
  ["compare", "format", "scan", "tape", "typedValue"].map(functions),
);

function* numbers(tape) {
  for (let node = 0; node < tape.count; node++) if (!isContainer(tape, node)) yield raw(tape, node);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [before, after] = JSON.parse(line).map((text) => scan(text).tape);
  const answer = {
    changes: compare(before, after),
    written: compact(format(after.text)),
    typed: [...numbers(after)].map((literal) => [literal, literalFrom(typedFrom(literal)).literal]),
  };
  if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) await once(process.stdout, "drain");
}
