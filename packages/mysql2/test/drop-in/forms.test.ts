import { sameAsMysql2 } from "./same-as-mysql2.ts";

sameAsMysql2("3.24");
