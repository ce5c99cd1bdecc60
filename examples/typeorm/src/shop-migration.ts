import { type MigrationInterface, type QueryRunner, Table } from "typeorm";

export class Shop1767225600000 implements MigrationInterface {
  readonly name = "Shop1767225600000";

  async up(runner: QueryRunner): Promise<void> {
    const product = new Table({
      name: "product",
      columns: [
        { name: "name", type: "varchar", length: "60", isPrimary: true },
        { name: "price", type: "int" },
        { name: "stock", type: "int" },
      ],
    });
    const order = new Table({
      name: "order",
      columns: [
        { name: "number", type: "int", isPrimary: true },
        { name: "product", type: "varchar", length: "60" },
        { name: "quantity", type: "int" },
      ],
      foreignKeys: [{ columnNames: ["product"], referencedTableName: "product", referencedColumnNames: ["name"] }],
    });
    await runner.createTable(product);
    await runner.createTable(order);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable("order");
    await runner.dropTable("product");
  }
}
