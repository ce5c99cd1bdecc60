import { defineConfig } from "@mirrorpool/cli";

const { clusters } = defineConfig({ clusters: { shop: { nodes: ["postgres://db1/shop"] } } });
console.log(JSON.stringify({ nodes: clusters.shop.nodes.length }));
