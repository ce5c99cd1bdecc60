/**
 * Names of the built-in functions of MySQL 9 and MariaDB 10.11 without side effects, whose answer on a mirror is the answer of the
 * primary at an earlier time. Left out with intent:
 *
 * - what depends on the node: see {@link PRIMARY_FUNCTIONS};
 * - what depends on the connection itself: `last_insert_id`, `row_count`, `found_rows`, `connection_id`;
 * - what takes locks, or the next value of a sequence: `get_lock`, `release_lock`, `nextval`, `lastval`, `setval`;
 * - what reads files or other servers: `load_file`.
 */
export const READ_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    // aggregates and windows
    "any_value avg bit_and bit_or bit_xor count group_concat json_arrayagg json_objectagg max median min std stddev",
    "stddev_pop stddev_samp sum var_pop var_samp variance percentile_cont percentile_disc grouping",
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank",

    // control flow and comparison
    "coalesce greatest ifnull isnull least nullif nvl nvl2 strcmp interval",

    // strings and bytes
    "ascii bin bit_count bit_length char_length character_length chr concat concat_ws elt export_set field find_in_set",
    "format from_base64 hex insert instr lcase length lengthb locate lower lpad ltrim make_set mid natural_sort_key oct",
    "octet_length ord position quote regexp_instr regexp_like regexp_replace regexp_substr reverse rpad rtrim sformat",
    "soundex space substr substring substring_index to_base64 to_char trim ucase unhex upper weight_string",

    // numbers
    "abs acos asin atan atan2 ceil ceiling conv cos cot crc32 crc32c degrees exp floor ln log log10 log2 pi pow power",
    "radians rand round sign sin sqrt tan truncate",

    // date and time
    "add_months adddate addtime convert_tz curdate curtime date date_add date_format date_sub datediff day dayname",
    "dayofmonth dayofweek dayofyear extract from_days from_unixtime get_format hour last_day makedate maketime",
    "microsecond minute month monthname now period_add period_diff quarter sec_to_time second str_to_date subdate subtime",
    "sysdate time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_days to_seconds",
    "unix_timestamp week weekday weekofyear year yearweek",

    // conversion, encryption, compression
    "aes_decrypt aes_encrypt cast compress md5 password random_bytes sha sha1 sha2 uncompress uncompressed_length",
    "charset coercibility collation",

    // json
    "json_array json_array_append json_array_insert json_compact json_contains json_contains_path json_depth json_detailed",
    "json_equals json_exists json_extract json_insert json_keys json_length json_loose json_merge json_merge_patch",
    "json_merge_preserve json_normalize json_object json_overlaps json_pretty json_query json_quote json_remove",
    "json_replace json_schema_valid json_schema_validation_report json_search json_set json_storage_free",
    "json_storage_size json_type json_unquote json_valid json_value",

    // xml, dynamic columns
    "column_check column_exists column_get column_json column_list extractvalue updatexml",

    // identifiers and addresses
    "bin_to_uuid inet6_aton inet6_ntoa inet_aton inet_ntoa is_ipv4 is_ipv4_compat is_ipv4_mapped is_ipv6 is_uuid sys_guid",
    "uuid uuid_short uuid_to_bin",

    // geometry
    "geometrycollection linestring mbrcontains mbrcoveredby mbrcovers mbrdisjoint mbrequals mbrintersects mbroverlaps",
    "mbrtouches mbrwithin multilinestring multipoint multipolygon point polygon",
    "st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer st_buffer_strategy st_centroid",
    "st_collect st_contains st_convexhull st_crosses st_difference st_dimension st_disjoint st_distance",
    "st_distance_sphere st_endpoint st_envelope st_equals st_exteriorring st_frechetdistance st_geohash",
    "st_geomcollfromtext st_geometryfromtext st_geometryn st_geometrytype st_geomfromgeojson st_geomfromtext",
    "st_geomfromwkb st_hausdorffdistance st_interiorringn st_intersection st_intersects st_isclosed st_isempty",
    "st_issimple st_isvalid st_latfromgeohash st_latitude st_length st_linefromtext st_linefromwkb st_longfromgeohash",
    "st_longitude st_makeenvelope st_numgeometries st_numinteriorrings st_numpoints st_overlaps st_pointfromgeohash",
    "st_pointfromtext st_pointfromwkb st_pointn st_polyfromtext st_polyfromwkb st_simplify st_srid st_startpoint",
    "st_swapxy st_symdifference st_touches st_transform st_union st_validate st_within st_x st_y",

    // the rest
    "benchmark database name_const schema sleep",
  ].flatMap((line) => line.split(" ")),
);

/** Names of the built-in functions without side effects that ask about the node, its locks and positions, or who asks. */
export const PRIMARY_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    "version current_user current_role session_user system_user user is_free_lock is_used_lock",
    "master_gtid_wait master_pos_wait source_pos_wait wait_for_executed_gtid_set gtid_subset gtid_subtract",
    "binlog_gtid_pos format_bytes format_pico_time ps_current_thread_id ps_thread_id",
    "wsrep_last_seen_gtid wsrep_last_written_gtid wsrep_sync_wait_upto_gtid",
  ].flatMap((line) => line.split(" ")),
);

/** Functions that leave state in the session which no other connection can have. */
export const PINNING_FUNCTIONS: ReadonlySet<string> = new Set([
  "get_lock",
  "release_lock",
  "release_all_locks",
  "service_get_read_locks",
  "service_get_write_locks",
  "service_release_locks",
  "version_tokens_lock_exclusive",
  "version_tokens_lock_shared",
  "version_tokens_unlock",
]);
