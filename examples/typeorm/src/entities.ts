import { EntitySchema } from "typeorm";

export interface Product {
  name: string;
  price: number;
  stock: number;
}

export interface Order {
  number: number;
  product: Product;
  quantity: number;
}

export const products: EntitySchema<Product> = new EntitySchema<Product>({
  name: "product",
  columns: {
    name: { type: "varchar", length: 60, primary: true },
    price: { type: "int" },
    stock: { type: "int" },
  },
});

export const orders: EntitySchema<Order> = new EntitySchema<Order>({
  name: "order",
  columns: {
    number: { type: "int", primary: true },
    quantity: { type: "int" },
  },
  relations: {
    product: { type: "many-to-one", target: "product", joinColumn: { name: "product" }, nullable: false },
  },
});
