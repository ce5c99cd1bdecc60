exports.up = async (db) => {
  await db.schema.alterTable("note", (table) => table.text("author"));
  await db("note").insert({ body: "from a migration", author: "nobody" });
};

exports.down = (db) => db.schema.alterTable("note", (table) => table.dropColumn("author"));
