/** The tables as Kysely sees them. */
export interface Shop {
  readonly products: { readonly name: string; readonly price: number; readonly stock: number };
  readonly orders: { readonly number: number; readonly product: string; readonly quantity: number };
}
