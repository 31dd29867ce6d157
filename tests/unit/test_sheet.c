// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <iconv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "storage/sheet.h"

static struct gw_sheet sheet;

static int finish_sheet(void **state)
{
    gw_sheet_finish(&sheet);
    return 0;
}

// Zones without the word "masks" are wrong here.
static int check_zones(const char *text, char error[GW_SHEET_WHAT_SIZE])
{
    snprintf(error, GW_SHEET_WHAT_SIZE, "zones: there is no mask");
    return strstr(text, "masks") ? 0 : -1;
}

static const struct gw_sheet_rules rules = {.division = "640323", .check_zones = check_zones};

static void parse(const char *text)
{
    gw_sheet_finish(&sheet);
    gw_sheet_parse(&sheet, text, strlen(text), &rules);
}

static const struct gw_camera *only(const char *text)
{
    parse(text);
    if (sheet.error_count)
        print_error("%d:%d: %s\n", sheet.errors[0].line, sheet.errors[0].column,
                    sheet.errors[0].what);
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(sheet.row_count, 1);
    return &sheet.rows[0].camera;
}

// The text has one wrong row, and this is where and why.
static void refused(const char *text, int line, int column, const char *what)
{
    parse(text);
    assert_int_equal(sheet.error_count, 1);
    if (!strstr(sheet.errors[0].what, what))
        print_error("%s\n", sheet.errors[0].what);
    assert_non_null(strstr(sheet.errors[0].what, what));
    assert_int_equal(sheet.errors[0].line, line);
    assert_int_equal(sheet.errors[0].column, column);
}

#define HEADER                                                                                     \
    "id,name,division,grid,record_url,detect_url,record,enabled,lon,lat,coordinate_system\n"

static void a_full_row_is_a_camera(void **state)
{
    const struct gw_camera *camera = only(
        HEADER "gate-07,East gate,640323101,004,rtsp://u:p%40ss@10.0.0.7/ch1,,continuous,no,106.1,"
               "37.8,WGS-84\n");
    assert_string_equal(camera->id, "gate-07");
    assert_string_equal(camera->name, "East gate");
    assert_string_equal(camera->division, "640323101");
    assert_string_equal(camera->grid, "004");
    assert_string_equal(camera->record_url, "rtsp://10.0.0.7/ch1");
    assert_string_equal(camera->username, "u");
    assert_string_equal(camera->password, "p@ss");
    assert_int_equal(camera->record, GW_RECORD_CONTINUOUS);
    assert_false(camera->enabled);
    assert_true(camera->lon == 106.1 && camera->lat == 37.8);
}

static void empty_cells_and_absent_columns_have_defaults(void **state)
{
    const struct gw_camera *camera = only("record_url,id\nrtsp://h/,a");
    assert_string_equal(camera->id, "a");
    assert_string_equal(camera->name, "a");
    assert_int_equal(camera->record, GW_RECORD_EVENTS);
    assert_true(camera->enabled);
    assert_true(isnan(camera->lon));
    camera = only(HEADER "a,,,,rtsp://h/,,,,,,\n");
    assert_string_equal(camera->name, "a");
    assert_true(camera->enabled);
}

static void what_spreadsheets_write_is_read(void **state)
{
    const struct gw_camera *camera =
        only("\xef\xbb\xbfID,Name,record_url\r\n\r\na,\"Gate \"\"7\"\", east\",rtsp://h/\r\n\r\n");
    assert_string_equal(camera->name, "Gate \"7\", east");
    camera = only("id,name,record_url\na, \xe4\xb8\x9c\xe9\x97\xa8 ,rtsp://h/");
    assert_string_equal(camera->name, "\xe4\xb8\x9c\xe9\x97\xa8");
}

static void every_wrong_row_is_named_and_the_others_are_read(void **state)
{
    parse(
        "id,record_url\na,rtsp://h/1\nb b,rtsp://h/2\nc,http://h/\nd,rtsp://h/4\n\"e,rtsp://h/5\n");
    assert_int_equal(sheet.row_count, 2);
    assert_string_equal(sheet.rows[1].camera.id, "d");
    assert_int_equal(sheet.rows[1].line, 5);
    assert_int_equal(sheet.error_count, 3);
    assert_int_equal(sheet.errors[0].line, 3);
    assert_int_equal(sheet.errors[0].column, 1);
    assert_int_equal(sheet.errors[1].line, 4);
    assert_int_equal(sheet.errors[1].column, 3);
    assert_int_equal(sheet.errors[2].line, 6);
}

static void lines_are_counted_inside_quotation_marks(void **state)
{
    parse("id,name,record_url\na,\"two\nlines\",rtsp://h/\nb,x,nonsense\n");
    assert_int_equal(sheet.error_count, 2);
    assert_int_equal(sheet.errors[0].line, 2);
    assert_int_equal(sheet.errors[0].column, 3);
    assert_int_equal(sheet.errors[1].line, 4);
}

static void mistakes_are_found_where_they_are(void **state)
{
    refused("", 1, 1, "the first line is empty");
    refused("name,record_url\na,b\n", 1, 1, "id or device_id is missing");
    refused("id,name\na,b\n", 1, 1, "record_url is missing");
    refused("id,record_url,colour\n", 1, 15, "no column \"colour\"");
    refused("id,record_url,\"co\nl\x1bour\"\n", 1, 15, "no column \"co?l?our\""); // in one line
    refused("id,record_url,ID\n", 1, 15, "twice");
    refused("id,record_url\na,rtsp://h/\na,rtsp://h/\n", 3, 1, "is in line 2 already");
    refused("id,record_url\na\n", 2, 1, "has 1 cells");
    refused("id,record_url\na,rtsp://h/,x\n", 2, 13, "more than 2 cells");
    refused("id,record_url\n../x,rtsp://h/\n", 2, 1, "is no id");
    refused("id,record_url\na,\"rtsp://h/\"x\n", 2, 3, "behind the closing");
    refused("id,name,record_url\na,\"two\nlines\",rtsp://h/\n", 2, 3, "one line");
    refused("id,division,record_url\na,64,rtsp://h/\n", 2, 3, "6, 9 or 12");
    refused("id,grid,record_url\na,x,rtsp://h/\n", 2, 3, "grid");
    refused("id,record,record_url\na,always,rtsp://h/\n", 2, 3, "events, continuous or off");
    refused("id,enabled,record_url\na,maybe,rtsp://h/\n", 2, 3, "yes or no");
}

static void empty_rows_are_no_mistakes(void **state)
{
    parse("id,name,record_url\n,,\n\na,b,rtsp://h/\r\n , ,\t\r\n \r\n");
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(sheet.row_count, 1);
}

static void a_position_says_in_which_system_it_is(void **state)
{
#define PLACED "id,record_url,lon,lat,coordinate_system\na,rtsp://h/,"
    assert_true(only(PLACED "106.1,37.8,WGS84\n")->lon == 106.1);
    assert_true(only(PLACED "106.1,37.8,cgcs2000\n")->lat == 37.8);
    refused(PLACED "106.1,37.8,\n", 2, 24, "needs its coordinate_system");
    refused(PLACED "106.1,37.8,BD-09\n", 2, 24, "BD-09 cannot be converted exactly");
    refused(PLACED "106.1,37.8,Beijing54\n", 2, 24, "WGS-84, CGCS2000 or GCJ-02");
    refused(PLACED "106.1,,WGS-84\n", 2, 19, "both");
    refused(PLACED "37.8,106.1,WGS-84\n", 2, 18, "look swapped");
    refused(PLACED "106.1,0x25,WGS-84\n", 2, 19, "degrees");
    refused(PLACED "nan,37,WGS-84\n", 2, 13, "degrees");
    refused("id,record_url,lon,lat\na,rtsp://h/,106,37\n", 2, 1, "needs its coordinate_system");
}

static void a_position_of_a_chinese_map_is_put_where_it_is(void **state)
{
    const struct gw_camera *camera = only(PLACED "116.38404722455657,39.91334545536069,GCJ-02\n");
    assert_true(fabs(camera->lon - 116.377817) < 1e-6 && fabs(camera->lat - 39.911954) < 1e-6);
    camera = only(PLACED "-0.12,51.5,GCJ-02\n"); // outside China there is no shift
    assert_true(camera->lon == -0.12 && camera->lat == 51.5);
    assert_int_equal(sheet.rows[0].position_line, 2);
    assert_int_equal(sheet.rows[0].position_column, 13);
}

static void the_other_stream_has_no_credentials_of_its_own(void **state)
{
    const struct gw_camera *camera =
        only("id,record_url,detect_url\na,rtsp://u:p@h/1,rtsp://u:p@h/2\n");
    assert_string_equal(camera->detect_url, "rtsp://h/2");
    camera = only("id,record_url,detect_url\na,rtsp://u:p@h/1,rtsp://h/2\n");
    assert_string_equal(camera->detect_url, "rtsp://h/2");
    assert_string_equal(only("id,record_url,detect_url\na,rtsp://h/1,\n")->detect_url, "");
    refused("id,record_url,detect_url\na,rtsp://u:p@h/1,rtsp://u:q@h/2\n", 2, 18,
            "those of record_url");
    refused("id,record_url,detect_url\na,rtsp://h/1,nonsense\n", 2, 14, "no camera URL");
}

static void no_mistake_shows_a_password(void **state)
{
    const char *texts[] = {
        "id,record_url\na,rtps://admin:secret@h/\nadmin:secret@,x\n",
        "a,rtsp://admin:secret@h/\nb,c\n",
        "id,zones,record_url\na,{rtsp://admin:secret@h/},x\nb,rtsp://admin:secret@h/,x\n",
        "id,division,grid,record_url\na,secret@,secret,rtsp://h/\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        parse(texts[i]);
        assert_true(sheet.error_count >= 2);
        for (int j = 0; j < sheet.error_count; j++)
            assert_null(strstr(sheet.errors[j].what, "secret"));
    }
}

// --- what the county's sheet has more ------------------------------------------------------------

#define FULL_HEADER                                                                                \
    "id,device_id,division,heading,fov,range,height,site_class,owner_unit,maintenance_unit,"       \
    "zones,retention_days,record_url\n"

static void every_column_of_the_countys_sheet_is_read(void **state)
{
    const struct gw_camera *camera =
        only(FULL_HEADER "a,64032300001310000007,640323101,135.5,90,60,6,class-2,Public security,"
                         "Wires & Co.,\"{ \"\"masks\"\": [ ] }\",90,rtsp://h/\n");
    assert_string_equal(camera->registration.device_id, "64032300001310000007");
    assert_true(camera->view.heading_deg == 135.5 && camera->view.fov_deg == 90);
    assert_true(camera->view.range_m == 60 && camera->view.height_m == 6);
    assert_int_equal(camera->registration.site_class, GW_SITE_CLASS_2);
    assert_string_equal(camera->registration.owner_unit, "Public security");
    assert_string_equal(camera->registration.maintenance_unit, "Wires & Co.");
    assert_string_equal(camera->zones, "{\"masks\":[]}");
    assert_int_equal(camera->retention_days, 90);
    camera = only(FULL_HEADER "a,,,,,,,,,,,,rtsp://h/\n");
    assert_true(camera->view.heading_deg == 0 && camera->view.fov_deg == 0);
    assert_int_equal(camera->retention_days, 0);
    assert_string_equal(camera->zones, "");
}

#define CHINESE_HEADER                                                                                                                     \
    "设备编码,设备名称,行政区划,网格编号,经度,纬度,坐标系,朝向,视场角,可视距离,安装高度,点位类别," \
    "建设单位/所属单位,维护单位,主码流地址,子码流地址,录像保存天数\r\n"
#define CHINESE_ROW                                                                                   \
    "64032300001310000007,东门　,640323101,004,106.1,37.8,国家大地2000,东南,90°,60米,6 m," \
    "一类视频监控点,县公安局,某某公司,rtsp://u:p@10.0.0.7/1,rtsp://10.0.0.7/2,90天\r\n"

static void is_the_east_gate(const struct gw_camera *camera)
{
    assert_string_equal(camera->id, "64032300001310000007");
    assert_string_equal(camera->name, "东门");
    assert_string_equal(camera->division, "640323101");
    assert_string_equal(camera->grid, "004");
    assert_true(camera->lon == 106.1 && camera->lat == 37.8);
    assert_true(camera->view.heading_deg == 135 && camera->view.fov_deg == 90);
    assert_true(camera->view.range_m == 60 && camera->view.height_m == 6);
    assert_int_equal(camera->registration.site_class, GW_SITE_CLASS_1);
    assert_string_equal(camera->registration.owner_unit, "县公安局");
    assert_string_equal(camera->registration.maintenance_unit, "某某公司");
    assert_string_equal(camera->record_url, "rtsp://10.0.0.7/1");
    assert_string_equal(camera->detect_url, "rtsp://10.0.0.7/2");
    assert_string_equal(camera->password, "p");
    assert_int_equal(camera->retention_days, 90);
}

static void the_countys_own_words_are_understood(void **state)
{
    is_the_east_gate(only(CHINESE_HEADER CHINESE_ROW));
    assert_true(sheet.rows[0].id_is_device);
}

static char *encode(const char *text, const char *encoding, size_t *ret_size)
{
    char *in = (char *)text, *encoded = calloc(1, 8192), *out = encoded;
    size_t left = strlen(text), room = 8191;
    iconv_t convert = iconv_open(encoding, "UTF-8");
    assert_true(iconv(convert, &in, &left, &out, &room) != (size_t)-1);
    iconv_close(convert);
    *ret_size = (size_t)(out - encoded);
    return encoded;
}

static void parse_as(const char *encoding, const char *text)
{
    size_t size;
    char *encoded = encode(text, encoding, &size);
    gw_sheet_finish(&sheet);
    gw_sheet_parse(&sheet, encoded, size, &rules);
    free(encoded);
}

static void a_sheet_in_gb18030_is_read_as_one_in_utf_8(void **state)
{
    parse_as("GB18030", CHINESE_HEADER CHINESE_ROW);
    assert_int_equal(sheet.error_count, 0);
    assert_int_equal(sheet.row_count, 1);
    is_the_east_gate(&sheet.rows[0].camera);
    // Characters of four bytes, two of which look like digits.
    parse_as("GB18030", "id,name,record_url\na,𠮷㐂,rtsp://h/\n");
    assert_string_equal(sheet.rows[0].camera.name, "𠮷㐂");
}

static void places_are_counted_in_the_bytes_of_the_file(void **state)
{
    parse_as("GB18030", "id,name,grid,record_url\na,东门,x,rtsp://h/\n");
    assert_int_equal(sheet.errors[0].line, 2);
    assert_int_equal(sheet.errors[0].column, 8); // two bytes each
    parse("id,name,grid,record_url\na,东门,x,rtsp://h/\n");
    assert_int_equal(sheet.errors[0].column, 10); // three bytes each
}

static void what_is_neither_encoding_is_refused_with_its_place(void **state)
{
    refused("id,name,record_url\na,b,rtsp://h/\nb,c\xff,rtsp://h/\n", 3, 4, "neither UTF-8 nor");
    refused("id,name,record_url\na,\xb6\xab\xff,rtsp://h/\n", 2, 5, "neither UTF-8 nor");
    parse_as("UTF-16", "id,record_url\na,rtsp://h/\n");
    assert_non_null(strstr(sheet.errors[0].what, "UTF-16"));
    refused("PK\x03\x04 and so on\n", 1, 1, "workbook");
    refused("id,record_url\ra,rtsp://h/\r", 1, 1, "CR alone");
}

static void a_broken_byte_does_not_turn_utf_8_into_nonsense(void **state)
{
    // Valid GB18030 as a whole, if one wants to read it so: twenty characters of three bytes.
    refused("id,name,record_url\na,东门东门东门东门东门东门东门东门东门东门,rtsp://h/"
            "1\nb,\xc4\xcf,rtsp://h/2\n",
            3, 3, "is broken here");
}

static void semicolons_and_tabs_separate_cells_as_well(void **state)
{
    assert_string_equal(only("id;name;record_url\na;East, gate;rtsp://h/\n")->name, "East, gate");
    assert_string_equal(only("id\tname\trecord_url\na\t\"East; gate\"\trtsp://h/\n")->record_url,
                        "rtsp://h/");
    refused("id;name;record_url\na,b,rtsp://h/\n", 2, 1, "has 1 cells, the header has 3");
}

static void every_wrong_cell_of_a_row_is_named_at_once(void **state)
{
    parse(FULL_HEADER
          "b b,123,64,400,-1,far,,class-9,,,[],1.5,http://h/\na,,,,,,,,,,,,rtsp://h/\n");
    const int columns[] = {1, 5, 9, 12, 16, 19, 24, 34, 37, 41};
    assert_int_equal(sheet.wrong_rows, 1);
    assert_int_equal(sheet.row_count, 1);
    assert_int_equal(sheet.error_count, 10);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        int j = 0;
        while (j < sheet.error_count && sheet.errors[j].column != columns[i])
            j++;
        if (j == sheet.error_count)
            print_error("nothing is said of column %d\n", columns[i]);
        assert_true(j < sheet.error_count);
    }
}

static void every_mistake_of_the_header_is_named_at_once(void **state)
{
    parse("id,record_url,colour,id,size\na,rtsp://h/,,,\n");
    assert_int_equal(sheet.error_count, 3);
    assert_int_equal(sheet.errors[2].column, 25);
    assert_int_equal(sheet.row_count, 0);
}

static void codes_are_checked_against_each_other(void **state)
{
    refused(FULL_HEADER "a,64032400001310000007,,,,,,,,,,,rtsp://h/\n", 2, 3, "another county");
    refused(FULL_HEADER "a,64032300001310000007,640324101,,,,,,,,,,rtsp://h/\n", 2, 3,
            "another county");
    refused(FULL_HEADER "a,64032300001310000007,,,,,,,,,,,rtsp://h/\n"
                        "b,64032300001310000007,,,,,,,,,,,rtsp://h/\n",
            3, 3, "is in line 2 already");
    refused(FULL_HEADER "a,6.40323E+19,,,,,,,,,,,rtsp://h/\n", 2, 3, "a spreadsheet made a number");
    refused(FULL_HEADER "a,,6.40323E+11,,,,,,,,,,rtsp://h/\n", 2, 4, "a spreadsheet made a number");
}

static void zones_are_held_against_the_rule_that_reads_them(void **state)
{
    char text[8192] = FULL_HEADER "a,,,,,,,,,,\"{\"\"masks\"\":[\"\"";
    refused(FULL_HEADER "a,,,,,,,,,,{},,rtsp://h/\n", 2, 12, "there is no mask");
    refused(FULL_HEADER "a,,,,,,,,,,masks,,rtsp://h/\n", 2, 12, "no JSON");
    memset(text + strlen(text), 'x', 2048);
    strcat(text, "\"\"]}\",,rtsp://h/\n");
    refused(text, 2, 12, "longer than 2047 bytes");
}

#define PURE(name) cmocka_unit_test_teardown(name, finish_sheet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PURE(a_full_row_is_a_camera),
        PURE(empty_cells_and_absent_columns_have_defaults),
        PURE(what_spreadsheets_write_is_read),
        PURE(every_wrong_row_is_named_and_the_others_are_read),
        PURE(lines_are_counted_inside_quotation_marks),
        PURE(mistakes_are_found_where_they_are),
        PURE(empty_rows_are_no_mistakes),
        PURE(a_position_says_in_which_system_it_is),
        PURE(a_position_of_a_chinese_map_is_put_where_it_is),
        PURE(the_other_stream_has_no_credentials_of_its_own),
        PURE(no_mistake_shows_a_password),
        PURE(every_column_of_the_countys_sheet_is_read),
        PURE(the_countys_own_words_are_understood),
        PURE(a_sheet_in_gb18030_is_read_as_one_in_utf_8),
        PURE(places_are_counted_in_the_bytes_of_the_file),
        PURE(what_is_neither_encoding_is_refused_with_its_place),
        PURE(a_broken_byte_does_not_turn_utf_8_into_nonsense),
        PURE(semicolons_and_tabs_separate_cells_as_well),
        PURE(every_wrong_cell_of_a_row_is_named_at_once),
        PURE(every_mistake_of_the_header_is_named_at_once),
        PURE(codes_are_checked_against_each_other),
        PURE(zones_are_held_against_the_rule_that_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
