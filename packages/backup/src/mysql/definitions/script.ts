/** A statement, and the settings under which it means what it meant. */
export interface Definition {
  /** Of a session, as one statement. */
  readonly settings: string;
  readonly text: string;
}

/** Definitions as a file that the `mariadb` and `mysql` commands read as well. Pure. */
export function toScript(definitions: readonly Definition[]): string {
  const delimiter = freeDelimiter(definitions.map(({ text }) => text));
  const lines = [`DELIMITER ${delimiter}`];
  let settings = "";
  for (const definition of definitions) {
    if (definition.settings !== settings) lines.push(`${definition.settings}\n${delimiter}`);
    settings = definition.settings;
    lines.push(`${definition.text}\n${delimiter}`);
  }
  return `${lines.join("\n")}\n`;
}

/** One that stands in none of them. */
function freeDelimiter(texts: readonly string[]): string {
  for (let count = 2; ; count += 1) {
    const delimiter = ";".repeat(count);
    if (!texts.some((text) => text.includes(delimiter))) return delimiter;
  }
}

const SETTINGS = /^SET SESSION /;

/** What {@link toScript} has written. Pure. */
export function fromScript(script: string): readonly Definition[] {
  const [first = ""] = script.split("\n", 1);
  const delimiter = first.replace(/^DELIMITER /, "");
  const definitions: Definition[] = [];
  let settings = "";
  for (const text of script.slice(first.length + 1).split(`\n${delimiter}\n`)) {
    if (text === "") continue;
    if (SETTINGS.test(text)) settings = text;
    else definitions.push({ settings, text });
  }
  return definitions;
}
