import type { MigrationInterface, QueryRunner } from "typeorm";

export class Shop1767225600000 implements MigrationInterface {
  readonly name = "Shop1767225600000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "product" ("name" text PRIMARY KEY, "price" int NOT NULL, "stock" int NOT NULL)`);
    await runner.query(
      `CREATE TABLE "order" ("number" int PRIMARY KEY, "product" text NOT NULL REFERENCES "product", "quantity" int NOT NULL)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable("order");
    await runner.dropTable("product");
  }
}
