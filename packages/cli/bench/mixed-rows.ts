/** All types that have a rule of their own between the systems. */
export const COLUMNS = `id bigint PRIMARY KEY, b bool, i2 smallint, i4 int, i8 bigint, n numeric(20,4), nn numeric(65,30), f4 real, f8 float8, t text,
  v varchar(20), c char(5), ba bytea, u uuid, d date, ts timestamp, tz timestamptz, t6 time, ts0 timestamp(0), j json, jb jsonb, bi bit(7), m mood, ttz timetz, iv interval, i inet, ci cidr, ia int[], ta text[], r int4range, x xml, mo money, pt point`;

/** Their extremes. */
export const EXTREMES: readonly string[] = [
  `1, true, 32767, 2147483647, 9223372036854775807, 9999999999999999.9999, 12345678901234567890123456789012345.123456789012345678901234567890,
   3.4028235e38, 1.7976931348623157e308, E'tab\\t new\\nline \\r back\\\\slash \\\\N \\b \\f \\v \\u0001 quote'' " 🐘 ä', '', 'ab', '\\x00ff5c6e090a0d',
   'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '0001-01-01', '9999-12-31 23:59:59.999999', '1969-07-20 20:17:40.000001-05', '24:00:00', '2024-02-29 12:34:56',
   '{"b":1, "a": 1e400,"a":2}', '{"b":1,"a":[null,"x"],"n":12345678901234567890123.456}', '1010101',
   'so "so"', '12:00:00+05:30', '1 year -2 days 3.000001 s', '10.0.0.1/8', '10.0.0.0/8', '{1,NULL,3}', '{"a,b","c\\"d",NULL,""}', '[1,10)', '<a>&amp;</a>', 12.34, '(1.5,-2)'`,
  `-2, false, -32768, -2147483648, -9223372036854775808, -0.0001, -0.000000000000000000000000000001, 1.4e-45, 5e-324, '', NULL, '', '', NULL, '9999-12-31',
   '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00', '00:00:00.5', NULL, 'null', '""', '0000000', 'glad', NULL, '-1 mon', '::1', NULL, '{}', '{}', 'empty', NULL, NULL, NULL`,
  `3, NULL${", NULL".repeat(31)}`,
  `4, true, 0, 0, 0, 0, 0, 0.1, 0.1, 'NULL', 'N', ' a', '\\x5c78', '00000000-0000-0000-0000-000000000000', '2024-02-29', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56.7+00',
   '12:34:56.78', '1000-01-01 00:00:00', '{}', '{}', '0000001', '1', '00:00:00+00', '0', '1.2.3.4', '::/0', '{0}', '{NULL}', '(,)', '<b/>', 0, '(0,0)'`,
];
