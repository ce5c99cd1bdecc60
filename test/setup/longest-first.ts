import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take half a minute and more each. Begun last, one of them would be all that still runs at the end. */
const LONG =
  /\/test\/(?:conformance|campaign|simulation|soak|packages)\/|\/(?:on-mysql|on-groups|mysql-groups)\.test\.ts$|-survives\.test\.ts$/;

/** Vitest's own order (by what a file took the last time, else by its size), but the long ones first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
