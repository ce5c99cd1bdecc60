const DAY = /^(\d{4})-(\d\d)-(\d\d)/;

/** Whether a date, or what a time begins with, is no day of the calendar: zero and partial dates, and days that their month does not have. Pure. */
export function isNoDay(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (DAY.exec(text) ?? []).map(Number);
  if (year === 0 || month === 0 || month > 12 || day === 0) return true;
  const last = new Date(0);
  last.setUTCFullYear(year, month, 0); // the day before the next month's first
  return day > last.getUTCDate();
}
