import { NotSentError } from "../../errors.ts";

/** A shared read that was held up, or whose answer may be another one's: it is run again. Not for applications. */
export class Displaced extends NotSentError {}
