import { createHash, createHmac } from "node:crypto";

/** A request as a server sees it. */
export interface SignedRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const sha256 = (content: string): string => createHash("sha256").update(content).digest("hex");
const hmac = (key: string | Buffer, content: string): Buffer => createHmac("sha256", key).update(content).digest();

/** What AWS leaves as it is in a path or a query; all else is `%XX`. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * The signature that a request has to have, by the published rules and apart from the library that signs.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function expectedSignature({ method, url, headers }: SignedRequest, secret: string): string {
  const [, credential = "", names = ""] =
    /Credential=([^,]+),\s*SignedHeaders=([^,]+)/.exec(headers["authorization"] ?? "") ?? [];
  const [, day = "", region = "", service = ""] = credential.split("/");
  const [path = "", query = ""] = url.split("?");
  const pairs = query === "" ? [] : query.split("&").map((part) => part.split("=", 2));
  const sorted = pairs
    .map(
      ([key = "", value = ""]) =>
        `${encode(decodeURIComponent(key))}=${encode(decodeURIComponent(value.replaceAll("+", "%20")))}`,
    )
    .sort();
  const signed = names.split(";").map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, " ")}\n`);
  const canonicalPath = path
    .split("/")
    .map((part) => encode(decodeURIComponent(part)))
    .join("/");
  const canonical = [method, canonicalPath, sorted.join("&"), signed.join(""), names, headers["x-amz-content-sha256"]];
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical.join("\n"))].join("\n");
  const key = [region, service, "aws4_request"].reduce((held, part) => hmac(held, part), hmac(`AWS4${secret}`, day));
  return hmac(key, toSign).toString("hex");
}

export const signatureOf = ({ headers }: SignedRequest): string | undefined =>
  /Signature=([0-9a-f]+)/.exec(headers["authorization"] ?? "")?.[1];
