/** Another process could not do its part just now; the same may succeed when it is done again. */
export class UnitFailed extends Error {
  override readonly name = "UnitFailed";
}
