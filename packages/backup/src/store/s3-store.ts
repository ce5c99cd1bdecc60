import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { OptionsError } from "@mirrorpool/core";
import { AwsClient } from "aws4fetch";
import { BackupError, messageOf } from "../errors.ts";
import { checkInteger, checkOptions } from "../options.ts";
import type { Store, StoredObject } from "./store.ts";

/** Where an S3-compatible store is, and who logs in. */
export interface S3Options {
  /** Such as `https://s3.eu-central-1.amazonaws.com` or `http://minio:9000`. */
  readonly endpoint: string;
  readonly bucket: string;
  /** A folder in the bucket, such as `backups/shop`. Default: its root. */
  readonly prefix?: string;
  /** Default `us-east-1`, which most stores but Amazon's own take. */
  readonly region?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Of one request, 1000 to 3600000 ms. Default 120000. */
  readonly requestMs?: number;
  /** Size of the parts of a big object, 5 MiB (which S3 demands) to 1 GiB. So much of each chunk is held in memory. Default 8 MiB. */
  readonly partBytes?: number;
}

const MEBIBYTE = 1024 ** 2;
const OPTIONS = [
  "endpoint", "bucket", "prefix", "region", "accessKeyId", "secretAccessKey", "sessionToken", "requestMs", "partBytes",
]; // biome-ignore format: one list

/** A bucket of Amazon S3, MinIO, or what speaks like them. Paths are of the form `endpoint/bucket/name`. */
export function s3Store(options: S3Options): Store {
  return new S3Store(options);
}

class S3Store implements Store {
  readonly description: string;
  readonly #client: AwsClient;
  readonly #root: string;
  readonly #prefix: string;
  readonly #requestMs: number;
  readonly #partBytes: number;

  constructor(given: S3Options) {
    const options = checkOptions(given, OPTIONS);
    for (const key of ["endpoint", "bucket", "accessKeyId", "secretAccessKey"] as const)
      if (typeof options[key] !== "string" || options[key] === "")
        throw new OptionsError(key, "a text", `a ${typeof options[key]}`);
    if (!/^https?:\/\/[^/?#]+\/?$/.test(given.endpoint))
      throw new OptionsError("endpoint", "a URL such as https://host:port", `a string of ${given.endpoint.length}`);
    const { endpoint, bucket, prefix = "", region = "us-east-1", accessKeyId, secretAccessKey, sessionToken } = given;
    this.#requestMs = checkInteger("requestMs", options["requestMs"], 1000, 3_600_000, 120_000);
    this.#partBytes = checkInteger("partBytes", options["partBytes"], 5 * MEBIBYTE, 1024 * MEBIBYTE, 8 * MEBIBYTE);
    this.#root = `${endpoint.replace(/\/$/, "")}/${encodeURIComponent(bucket)}`;
    this.#prefix = prefix === "" ? "" : `${prefix.replace(/^\/+|\/+$/g, "")}/`;
    this.description = `${this.#root}/${this.#prefix}`;
    const login = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    // what may be tried again it tries again itself: 5xx and 429, with growing rests
    this.#client = new AwsClient({ ...login, service: "s3", region, retries: 4 });
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    let token: string | undefined;
    do {
      const query = new URLSearchParams({ "list-type": "2", prefix: this.#prefix + prefix });
      if (token !== undefined) query.set("continuation-token", token);
      const response = await this.#send("GET", `?${query}`, undefined, signal);
      const text = await response.text();
      for (const [, entry = ""] of text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
        const name = tag(entry, "Key") ?? "";
        found.push({ name: name.slice(this.#prefix.length), bytes: Number(tag(entry, "Size")) });
      }
      token = tag(text, "IsTruncated") === "true" ? tag(text, "NextContinuationToken") : undefined;
    } while (token !== undefined);
    return found;
  }

  async read(name: string, signal?: AbortSignal): Promise<Readable | undefined> {
    const response = await this.#send("GET", this.#path(name), undefined, signal, [404]);
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    const body = response.body;
    // the types of the browser's streams and of Node's differ; they are the same here
    return body === null ? Readable.from([]) : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
  }

  /** What fits into one part is one request; bigger objects are put together by the store, and are not there before. */
  async write(name: string, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const path = this.#path(name);
    const parts = inParts(content, this.#partBytes);
    const first = await parts.next();
    const second = first.done === true ? first : await parts.next();
    if (second.done === true) {
      await this.#drain(await this.#send("PUT", path, first.done === true ? Buffer.alloc(0) : first.value, signal));
      return;
    }
    if (first.done === true) return;
    const begun = await this.#send("POST", `${path}?uploads=`, Buffer.alloc(0), signal);
    const id = tag(await begun.text(), "UploadId");
    if (id === undefined) throw this.#failed(`write ${name}`, "the store gave no id for an upload in parts");
    const upload = encodeURIComponent(id);
    try {
      const tags: string[] = [];
      const put = async (part: Buffer): Promise<void> => {
        const at = `${path}?partNumber=${tags.length + 1}&uploadId=${upload}`;
        const response = await this.#send("PUT", at, part, signal);
        await this.#drain(response);
        tags.push(response.headers.get("etag") ?? "");
      };
      await put(first.value);
      await put(second.value);
      for await (const part of parts) await put(part);
      const list = tags.map(
        (each, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${escapeXml(each)}</ETag></Part>`,
      );
      const body = Buffer.from(`<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
      const text = await (await this.#send("POST", `${path}?uploadId=${upload}`, body, signal)).text();
      // it may say 200 and then fail
      if (text.includes("<Error>")) throw this.#failed(`write ${name}`, tag(text, "Code") ?? "an error");
    } catch (error) {
      const undoing = AbortSignal.timeout(this.#requestMs); // also when the signal has ended the upload
      await this.#send("DELETE", `${path}?uploadId=${upload}`, undefined, undoing)
        .then((response) => this.#drain(response))
        .catch(() => {}); // the store's own rule for unfinished uploads removes it
      throw error;
    }
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    await this.#drain(await this.#send("DELETE", this.#path(name), undefined, signal, [404]));
  }

  #path(name: string): string {
    return `/${(this.#prefix + name).split("/").map(encodeURIComponent).join("/")}`;
  }

  async #drain(response: Response): Promise<void> {
    await response.body?.cancel();
  }

  async #send(
    method: string,
    path: string,
    body: Uint8Array | undefined,
    signal: AbortSignal | undefined,
    alsoFine: readonly number[] = [],
  ): Promise<Response> {
    const what = `${method} ${path.split("?")[0]}`;
    // a body that streams is bounded by its reader; everything else by its time
    const limit = AbortSignal.timeout(this.#requestMs);
    const isStream = method === "GET" && !path.startsWith("?");
    const either = isStream ? signal : signal === undefined ? limit : AbortSignal.any([signal, limit]);
    let response: Response;
    try {
      response = await this.#client.fetch(this.#root + path, {
        method,
        ...(body !== undefined && { body: body as Uint8Array<ArrayBuffer> }),
        // signed with the rest: the store refuses what was changed on the way, also without TLS
        headers: {
          "x-amz-content-sha256": createHash("sha256")
            .update(body ?? "")
            .digest("hex"),
        },
        ...(either && { signal: either }),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw this.#failed(what, messageOf(cause instanceof Error ? (cause.cause ?? cause) : cause), cause);
    }
    if (response.ok || alsoFine.includes(response.status)) return response;
    const text = (await response.text()).slice(0, 4000);
    throw this.#failed(what, `${response.status} ${tag(text, "Code") ?? response.statusText}`);
  }

  #failed(what: string, why: string, cause?: unknown): BackupError {
    return new BackupError("STORE_FAILED", `${what} at ${this.description}: ${why}`, { cause });
  }
}

/** Puts pieces together to parts of exactly this size; the last one may be smaller. */
async function* inParts(content: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    held.push(piece);
    length += piece.length;
    while (length >= bytes) {
      const all = Buffer.concat(held);
      yield all.subarray(0, bytes);
      held = [all.subarray(bytes)];
      length -= bytes;
    }
  }
  if (length > 0) yield Buffer.concat(held);
}

function tag(text: string, name: string): string | undefined {
  const value = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return value?.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? "");
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

const escapeXml = (text: string): string => text.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
