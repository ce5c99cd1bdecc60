exports.up = (db) =>
  db.schema.createTable("note", (table) => {
    table.increments("id");
    table.text("body").notNullable();
  });

exports.down = (db) => db.schema.dropTable("note");
