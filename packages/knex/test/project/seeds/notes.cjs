exports.seed = async (db) => {
  await db("note").del();
  await db("note").insert([
    { body: "one", author: "A" },
    { body: "two", author: "B" },
  ]);
};
