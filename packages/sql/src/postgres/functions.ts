/**
 * Names of the built-in functions without side effects, whose answer on a mirror is the answer of the primary at an earlier time.
 * Left out with intent, though some are marked stable:
 *
 * - what depends on the node or the session, or reads the catalogues: see {@link PRIMARY_FUNCTIONS}; of what depends on the
 *   connection itself also `currval`, `lastval`, `pg_backend_pid`, `inet_client_addr`, `txid_*`, `pg_current_*`;
 * - what runs SQL given as text or reads files: `query_to_xml` and its kin, `ts_stat`, `ts_rewrite`, `pg_read_file`;
 * - what takes locks, writes, signals or notifies.
 */
export const READ_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    // aggregates
    "any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg",
    "json_agg_strict json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict",
    "jsonb_agg jsonb_agg_strict jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict max min mode percentile_cont percentile_disc range_agg range_intersect_agg",
    "regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop",
    "stddev_samp string_agg sum var_pop var_samp variance xmlagg",

    // window functions
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number",

    // strings and bytes
    "ascii bit_count bit_length btrim casefold char_length character_length chr concat concat_ws convert convert_from",
    "convert_to crc32 crc32c decode encode format get_bit get_byte initcap is_normalized left length like like_escape",
    "lower lpad ltrim md5 notlike octet_length parse_ident quote_ident quote_literal quote_nullable regexp_count",
    "regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table",
    "regexp_substr repeat replace reverse right rpad rtrim set_bit set_byte sha224 sha256 sha384 sha512",
    "similar_to_escape split_part starts_with string_to_array string_to_table strpos substr to_ascii to_bin to_hex",
    "to_oct translate unicode_assigned unistr upper",

    // numbers
    "abs acos acosd acosh asin asind asinh atan atan2 atan2d atand atanh cbrt ceil ceiling cos cosd cosh cot cotd",
    "degrees div erf erfc exp factorial floor gamma gcd lcm lgamma ln log log10 min_scale mod pi pow power radians",
    "random random_normal round scale sign sin sind sinh sqrt tan tand tanh trim_scale trunc width_bucket",

    // date and time
    "age clock_timestamp date_add date_bin date_part date_subtract date_trunc isfinite justify_days justify_hours",
    "justify_interval make_date make_interval make_time make_timestamp make_timestamptz now overlaps pg_sleep",
    "pg_sleep_for pg_sleep_until statement_timestamp timeofday timezone to_timestamp transaction_timestamp",

    // conversion; the types can be written as functions
    "bool bpchar bytea date float4 float8 int2 int4 int8 money name text timestamptz timetz to_char to_date to_number",
    "uuid_extract_timestamp uuid_extract_version varbit xml",

    // json
    "array_to_json json_array_elements json_array_elements_text json_array_length json_build_array json_build_object",
    "json_each json_each_text json_extract_path json_extract_path_text json_object_keys json_populate_record",
    "json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_array_elements",
    "jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_contained jsonb_contains",
    "jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all jsonb_exists_any jsonb_extract_path",
    "jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz",
    "jsonb_path_match jsonb_path_match_tz jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz",
    "jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record",
    "jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls",
    "jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json to_jsonb",

    // arrays, sets, enums
    "array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions",
    "array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort array_to_string",
    "array_upper cardinality enum_first enum_last enum_range generate_series generate_subscripts num_nonnulls",
    "num_nulls trim_array unnest",

    // ranges
    "datemultirange daterange int4multirange int4range int8multirange int8range isempty lower_inc lower_inf",
    "multirange nummultirange numrange range_merge tsmultirange tsrange tstzmultirange tstzrange upper_inc upper_inf",

    // text search
    "array_to_tsvector json_to_tsvector jsonb_to_tsvector numnode phraseto_tsquery plainto_tsquery querytree setweight",
    "strip to_tsquery to_tsvector ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsquery_phrase",
    "tsvector_to_array websearch_to_tsquery",

    // geometry and networks
    "abbrev area bound_box box broadcast center circle diagonal diameter family height host hostmask inet_merge",
    "inet_same_family isclosed isopen line lseg macaddr8_set7bit masklen netmask network npoints path pclose point",
    "polygon popen radius set_masklen slope width",

    // xml
    "xml_is_well_formed xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmltext xpath xpath_exists",

    // the rest
    "current_database gen_random_uuid hashtext hashtextextended pg_collation_for pg_column_size",
    "pg_input_error_info pg_input_is_valid pg_size_bytes pg_size_pretty pg_typeof",
    "uuidv4 uuidv7",
  ].flatMap((line) => line.split(" ")),
);

/** Names of the built-in functions without side effects that ask about the node, the session's settings or the catalogues. */
export const PRIMARY_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    "version pg_is_in_recovery current_setting current_schema current_schemas inet_server_addr inet_server_port",
    "pg_postmaster_start_time pg_conf_load_time pg_encoding_to_char pg_get_userbyid",
    "to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype",
    "has_any_column_privilege has_column_privilege has_database_privilege has_function_privilege has_schema_privilege",
    "has_sequence_privilege has_table_privilege has_type_privilege pg_has_role row_security_active",
    "format_type col_description obj_description shobj_description",
    "pg_get_constraintdef pg_get_expr pg_get_function_arguments pg_get_function_identity_arguments pg_get_function_result",
    "pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_partkeydef pg_get_partition_constraintdef pg_get_ruledef",
    "pg_get_serial_sequence pg_get_statisticsobjdef pg_get_triggerdef pg_get_viewdef",
    "pg_collation_is_visible pg_function_is_visible pg_operator_is_visible pg_table_is_visible pg_type_is_visible",
    "pg_relation_is_updatable pg_column_is_updatable",
  ].flatMap((line) => line.split(" ")),
);
