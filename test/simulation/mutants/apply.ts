import { registerHooks } from "node:module";
import { mutants } from "./mutants.ts";

/**
 * Preloaded into a process (`node --import`): loads the core with the mutant that the environment names in place of what
 * was written.
 * @throws {Error} when the core has changed so that the mutant does not apply any more
 */
const mutant = mutants.find(({ name }) => name === process.env["SIMULATION_MUTANT"]);
if (mutant === undefined) throw new Error("SIMULATION_MUTANT names no mutant");
const { file, from, to } = mutant;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/packages/core/src/${file}`)) return loaded;
    const source = String(loaded.source);
    if (source.split(from).length !== 2) throw new Error(`does not occur once in ${file}: ${from}`);
    return { ...loaded, source: source.replace(from, to) };
  },
});
