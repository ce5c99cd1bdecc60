/** What a server answered to the probe, by name. */
export type Facts = ReadonlyMap<string, string | null>;

/** Whether a server says of itself that it takes no writes. */
export function isReadOnly(facts: Facts): boolean {
  return ["read_only", "super_read_only", "innodb_read_only"].some((name) => isOn(facts.get(name)));
}

/** Whether a server's answer means yes. */
export function isOn(value: string | null | undefined): boolean {
  return value !== undefined && value !== null && value !== "" && value !== "0" && value.toUpperCase() !== "OFF";
}
