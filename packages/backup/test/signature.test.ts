import { createHash } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { s3Store } from "../src/index.ts";
import { expectedSignature, type SignedRequest, signatureOf } from "./signature.ts";

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HOST = "examplebucket.s3.amazonaws.com";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

const published = (method: string, url: string, names: string, headers: Record<string, string>): SignedRequest => ({
  method,
  url,
  headers: {
    ...{ host: HOST, "x-amz-content-sha256": EMPTY, "x-amz-date": "20130524T000000Z", ...headers },
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names}`,
  },
});

// the examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, with their results
test.each<[string, SignedRequest, string]>([
  [
    "GET an object",
    published("GET", "/test.txt", "host;range;x-amz-content-sha256;x-amz-date", { range: "bytes=0-9" }),
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "PUT an object",
    published("PUT", "/test%24file.text", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "GET a bucket's lifecycle",
    published("GET", "/?lifecycle", "host;x-amz-content-sha256;x-amz-date", {}),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "GET a bucket's list",
    published("GET", "/?max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date", {}),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
])("the rules of the check are AWS's own: %s", (_, request, signature) => {
  expect(expectedSignature(request, SECRET)).toBe(signature);
});

test("each request of a store is signed as S3 expects it, content included, whatever is in its names", async () => {
  const seen: string[] = [];
  const wrong: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await contentOf(request);
    const { method = "", url = "", headers } = request;
    const signed = { method, url, headers: headers as SignedRequest["headers"] };
    seen.push(`${method} ${/[?&](uploads|uploadId|list-type)/.exec(url)?.[1] ?? "object"}`);
    if (signatureOf(signed) !== expectedSignature(signed, SECRET)) wrong.push(`${method} ${url}: signature`);
    if (headers["x-amz-content-sha256"] !== createHash("sha256").update(body).digest("hex"))
      wrong.push(`${method} ${url}: content`);
    if (headers["x-amz-security-token"] !== "session/token==") wrong.push(`${method} ${url}: session`);
    response.setHeader("etag", '"1"');
    response.end("<r><UploadId>a+b/c=d e</UploadId><IsTruncated>false</IsTruncated></r>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const login = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: SECRET, sessionToken: "session/token==" };
  const part = 5 * 1024 ** 2;
  const names = ["plain.zst", "with space", "a+b=c&d", "ünï/コピー", "~!*'()"];
  for (const prefix of ["shop", "with space/+ü*"]) {
    const store = s3Store({ endpoint, bucket: "backups", prefix, region: "eu-central-1", partBytes: part, ...login });
    for (const name of names) {
      await store.write(name, pieces(Buffer.from(name)));
      await store.list(name);
      for await (const _ of (await store.read(name)) ?? []);
      await store.remove(name);
    }
    await store.write("big", pieces(Buffer.alloc(part + 1, "x")));
  }
  expect(wrong).toEqual([]);
  const kinds = [
    "PUT object",
    "GET list-type",
    "GET object",
    "DELETE object",
    "POST uploads",
    "PUT uploadId",
    "POST uploadId",
  ];
  expect(new Set(seen)).toEqual(new Set(kinds));
});

async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

async function contentOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}
