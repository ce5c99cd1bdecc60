import { inspect } from "node:util";

const REDACTED = "***";

/** A password that shows itself only to who asks for it by name: not to `util.inspect`, JSON, or a template string. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  static {
    Object.defineProperty(Secret.prototype, inspect.custom, { value: () => REDACTED });
  }
}

/** A URL with its password, and whatever else may be one, taken out; also where it is no valid URL. */
export function redactUrl(url: string): string {
  return (
    url
      // up to the last @: a password that was not encoded may hold any character. The scheme may be missing or mistyped
      .replace(/^([a-z][a-z0-9+.-]*:\/\/|[^:@]*\/\/|)(.*)@/is, (_, scheme: string, user: string) => {
        const name = user.split(":")[0] ?? "";
        return `${scheme}${name}${user.includes(":") ? `:${REDACTED}` : ""}@`;
      })
      .replace(/([?&][^=&#]*(?:password|passwd|pwd|secret|token|key)[^=&#]*=)[^&#]*/gi, `$1${REDACTED}`)
  );
}
