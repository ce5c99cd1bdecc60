/** How the definitions are backed up. */
export interface SchemaOptions {
  /** The program. Default: the newest that is installed. */
  readonly pgDump?: string;
  /** The URL of a node, by its name. Needed where a pool was given, which tells nobody its passwords. */
  readonly url?: string | ((node: string) => string);
}

/**
 * `auto`: with definitions where `pg_dump` can be had, else without, which `warnings` says. `true`: an error where it cannot.
 */
export type SchemaChoice = "auto" | boolean | SchemaOptions;
