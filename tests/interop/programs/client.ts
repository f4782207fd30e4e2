// Call every route with openapi-fetch, typed by what openapi-typescript generated as schema.d.ts.
// node client.js URL KEY PNG_FILE PNG_BASE64
import { readFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];

const [url, key, pngFile, pngBase64] = process.argv.slice(2) as [string, string, string, string];
const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: url, headers: { "X-API-Key": key } });

function expect<T>(result: { data?: T; error?: Schemas["Problem"] }): T {
  if (result.data === undefined) throw new Error(JSON.stringify(result.error));
  return result.data;
}

function assert(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const images = [pngBase64];
const latents: number[][] = [new Array<number>(20).fill(0.5), new Array<number>(20).fill(-0.5)];

const reconstruction: Schemas["ReconstructResponse"] = expect(
  await client.POST("/reconstruct", { params: { query: { seed: 7 } }, body: { images, seed: 7 } }),
);
assert(reconstruction.seed === 7 && reconstruction.probs[0]?.length === 28, "reconstruct");

const encoded = expect(await client.POST("/encode", { body: { images, sample: true } }));
assert(encoded.latents?.length === 1, "encode");

const form = new FormData();
form.append("files", new Blob([new Uint8Array(await readFile(pngFile))], { type: "image/png" }), "digit.png");
const uploaded = expect(
  await client.POST("/encode", { body: { files: [] }, bodySerializer: () => form }),
);
assert(uploaded.mean[0]?.[0] === encoded.mean[0]?.[0], "encode, a form");

assert(expect(await client.POST("/decode", { body: { latents } })).probs.length === 2, "decode");
assert(expect(await client.GET("/sample", { params: { query: { n: 3 } } })).latents.length === 3, "sample");
assert(expect(await client.POST("/score", { body: { images, samples: 16 } })).iwae?.length === 1, "score");
assert(expect(await client.POST("/interpolate", { body: { latents, steps: 5 } })).probs.length === 5, "interpolate");
const between = expect(
  await client.POST("/interpolate", { params: { query: { steps: 4 } }, body: { images: [...images, ...images] } }),
);
assert(between.latents.length === 4, "interpolate, images");
const comparison = expect(await client.POST("/compare", { body: { images } }));
assert(Object.keys(comparison.results).length === 3, "compare");

assert(expect(await client.GET("/frameworks")).frameworks.length === 3, "frameworks");
assert(expect(await client.GET("/healthz")).status === "ok", "healthz");
assert(expect(await client.GET("/readyz")).frameworks.length === 3, "readyz");
const metrics = await createClient<paths>({ baseUrl: url, headers: { "X-API-Key": key } }).GET("/metrics", {
  parseAs: "text",
});
assert(metrics.data?.includes("triptych_requests") === true, "metrics");
assert(Object.keys(expect(await client.POST("/admin/reload")).reloaded).length === 3, "reload");

const picture = await createClient<paths>({ baseUrl: url, headers: { "X-API-Key": key } }).GET("/sample", {
  params: { query: { n: 4, format: "png" } },
  parseAs: "blob",
});
assert(picture.data?.type === "image/png", "sample, PNG");

const refused = await client.POST("/reconstruct", { params: { query: { seed: 8 } }, body: { images, seed: 7 } });
assert(refused.error?.errors[0]?.where === "query.seed", "an option given twice");
