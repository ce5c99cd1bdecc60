/** Secrets that this process was given: whatever is printed goes without them. */
const secrets = new Set<string>();
/** Shorter ones would blank out half of what is printed, and are no secrets. */
const MIN_LENGTH = 4;

/** Keeps a password or passphrase, and its encoded form in a URL, from ever being printed. */
export function keepSecret(secret: string | undefined): void {
  if (secret === undefined || secret.length < MIN_LENGTH) return;
  for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) secrets.add(form);
}

/** The passwords of URLs, be they known or not, and all that is known as a secret. */
export function redact(text: string): string {
  let redacted = text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*):[^\s@"']*@/gi, "$1:***@");
  for (const secret of secrets) redacted = redacted.replaceAll(secret, "***");
  return redacted;
}

/** Notes the password of a URL. */
export function keepUrlSecret(url: string): void {
  const [, password] = /^[a-z][a-z0-9+.-]*:\/\/[^:/@]*:(.*)@/is.exec(url) ?? [];
  if (password === undefined) return;
  keepSecret(password);
  try {
    keepSecret(decodeURIComponent(password));
  } catch {
    // it is no valid encoding, and no URL either: said elsewhere
  }
}
