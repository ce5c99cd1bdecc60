const { mirroredPostgres } = require("@mirrorpool/knex");

module.exports = {
  client: mirroredPostgres({ nodes: process.env.NODES.split(" ") }),
  migrations: { loadExtensions: [".cjs"] },
  seeds: { loadExtensions: [".cjs"] },
};
