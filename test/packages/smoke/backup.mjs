import { verify } from "@mirrorpool/backup";

const error = await verify({ from: "/nowhere" }).catch((error) => error);
console.log(JSON.stringify({ code: error.code }));
