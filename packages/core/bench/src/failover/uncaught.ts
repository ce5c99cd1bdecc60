/** Counts exceptions that would have ended a process without a listener for them. */
export function countUncaught(): Disposable & { readonly count: number } {
  let count = 0;
  const onUncaught = (): void => {
    count += 1;
  };
  process.on("uncaughtException", onUncaught);
  process.on("unhandledRejection", onUncaught);
  return {
    get count() {
      return count;
    },
    [Symbol.dispose]() {
      process.off("uncaughtException", onUncaught);
      process.off("unhandledRejection", onUncaught);
    },
  };
}
