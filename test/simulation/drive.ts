const BATCH = 64;

/**
 * Calls `step` until it returns false, with all promise reactions run between two calls: Node drains the microtasks after
 * each immediate. Batches spare a turn of the event loop per step.
 */
export function drive(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = 0;
    let isOver = false;
    const turn = (): void => {
      left -= 1;
      if (isOver) return;
      try {
        if (!step()) {
          isOver = true;
          resolve();
        } else if (left === 0) fill();
      } catch (error) {
        isOver = true;
        reject(error);
      }
    };
    const fill = (): void => {
      left = BATCH;
      for (let index = 0; index < BATCH; index += 1) setImmediate(turn);
    };
    fill();
  });
}
