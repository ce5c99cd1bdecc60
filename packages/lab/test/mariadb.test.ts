import { describeServer } from "./mysql/suite.ts";

describeServer("mariadb");
