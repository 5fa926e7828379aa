/* test_file.c: reading, atomic saving, listing, gunzip, and their faults. SPDX-License-Identifier:
 * MIT */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/status.h"
#include "support/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

static ic_context *context;
static const char *folder;

static const char *in_folder(const char *name)
{
    return test_path(folder, name);
}

/* How many entries a folder has, dot files included: nothing may stay behind. */
static int entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = -2; /* . and .. */
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static int open_descriptors(void)
{
    return entries("/proc/self/fd");
}

static void check_content(const char *path, const char *wanted)
{
    ic_buffer buffer;
    assert_ok(ic_file_read(context, path, 1 << 20, &buffer));
    assert_int_equal(buffer.size, strlen(wanted));
    assert_string_equal((char *)buffer.bytes, wanted);
    ic_buffer_free(&buffer);
}

static void test_read(void **state)
{
    (void)state;
    test_write(in_folder("seven"), "abcdefg", 7);
    test_write(in_folder("empty"), "", 0);
    check_content(in_folder("seven"), "abcdefg");
    check_content(in_folder("empty"), "");
    ic_buffer buffer = {0};
    assert_ok(ic_file_read(context, in_folder("seven"), 7, &buffer));
    ic_buffer_free(&buffer);
    assert_fails(IC_ERROR_LIMIT, "larger than the limit of 6 bytes",
                 ic_file_read(context, in_folder("seven"), 6, &buffer));
    assert_ok(ic_file_read(context, "/proc/self/status", 1 << 20, &buffer)); /* says size 0 */
    assert_true(buffer.size > 100);
    ic_buffer_free(&buffer);
    assert_fails(IC_ERROR_LIMIT, "limit of 50",
                 ic_file_read(context, "/proc/self/status", 50, &buffer));
    assert_null(buffer.bytes);
}

static void test_read_refuses(void **state)
{
    (void)state;
    ic_buffer buffer = {0};
    int before = open_descriptors();
    assert_fails(IC_ERROR_NOT_FOUND, "none.jpg: No such file",
                 ic_file_read(context, in_folder("none.jpg"), 10, &buffer));
    assert_fails(IC_ERROR_IO, "it is a folder", ic_file_read(context, folder, 10, &buffer));
    assert_fails(IC_ERROR_IO, "device", ic_file_read(context, "/dev/null", 10, &buffer));
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_fails(IC_ERROR_IO, "pipe", ic_file_read(context, in_folder("fifo"), 10, &buffer));
    if (geteuid() != 0) {
        test_write(in_folder("secret"), "x", 1);
        chmod(in_folder("secret"), 0);
        assert_fails(IC_ERROR_IO, "secret",
                     ic_file_read(context, in_folder("secret"), 10, &buffer));
    }
    assert_int_equal(open_descriptors(), before);
}

static void test_save(void **state)
{
    (void)state;
    const char *path = in_folder("model");
    mode_t mask = umask(027);
    int before = open_descriptors();
    assert_ok(ic_file_save(context, path, "first", 5));
    check_content(path, "first");
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    umask(mask);
    assert_int_equal(chmod(path, 0604), 0);
    assert_ok(ic_file_save(context, path, "second one", 10));
    check_content(path, "second one");
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0604);
    assert_ok(ic_file_save(context, path, NULL, 0));
    check_content(path, "");
    assert_int_equal(entries(folder), 1);
    assert_int_equal(open_descriptors(), before);

    char *large = malloc(3 << 20);
    memset(large, 'x', 3 << 20);
    assert_ok(ic_file_save(context, path, large, 3 << 20));
    size_t size;
    char *back = test_read_file(path, &size);
    assert_int_equal(size, 3 << 20);
    assert_memory_equal(back, large, size);
    free(back);
    free(large);
}

static void test_save_in_the_current_folder(void **state)
{
    (void)state;
    char home[1024];
    assert_non_null(getcwd(home, sizeof home));
    assert_int_equal(chdir(folder), 0);
    assert_ok(ic_file_save(context, "bare", "x", 1));
    check_content("bare", "x");
    assert_int_equal(chdir(home), 0);
    check_content(in_folder("bare"), "x");
}

/* A link is followed, and stays one; one that leads nowhere is replaced. */
static void test_save_through_a_link(void **state)
{
    (void)state;
    struct stat about;
    assert_ok(ic_file_save(context, in_folder("behind"), "old", 3));
    assert_int_equal(symlink("behind", in_folder("link")), 0);
    assert_ok(ic_file_save(context, in_folder("link"), "new", 3));
    check_content(in_folder("behind"), "new");
    assert_int_equal(lstat(in_folder("link"), &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(symlink("nothing", in_folder("broken")), 0);
    assert_ok(ic_file_save(context, in_folder("broken"), "new", 3));
    check_content(in_folder("broken"), "new");
    unlink(in_folder("behind"));
    unlink(in_folder("link"));
    unlink(in_folder("broken"));
}

static void test_save_refuses(void **state)
{
    (void)state;
    assert_fails(IC_ERROR_NOT_FOUND, "none/model",
                 ic_file_save(context, in_folder("none/model"), "x", 1));
    assert_fails(IC_ERROR_IO, "it is a folder", ic_file_save(context, folder, "x", 1));
    assert_fails(IC_ERROR_IO, "it is a folder", ic_file_save(context, in_folder("model/"), "x", 1));
    assert_fails(IC_ERROR_IO, "path is empty", ic_file_save(context, "", "x", 1));
    assert_fails(IC_ERROR_IO, "device", ic_file_save(context, "/dev/null", "x", 1));
    if (geteuid() != 0) {
        chmod(folder, 0500);
        assert_fails(IC_ERROR_IO, "denied", ic_file_save(context, in_folder("model"), "x", 1));
        chmod(folder, 0700);
    }
    assert_int_equal(entries(folder), 0);
}

/* A name in use is passed over, and one thousand of them are an error. */
static void test_stale_temporaries(void **state)
{
    (void)state;
    char name[64];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, ".imgcls-%lld-%d.tmp", (long long)getpid(), i);
        test_write(in_folder(name), "", 0);
        if (i == 1) {
            assert_ok(ic_file_save(context, in_folder("model"), "x", 1));
            check_content(in_folder("model"), "x");
        }
    }
    assert_fails(IC_ERROR_IO, "full of .imgcls-",
                 ic_file_save(context, in_folder("model"), "y", 1));
    check_content(in_folder("model"), "x");
}

/* A disk that is full after 4 KiB, as the system's limit on file sizes. */
static void test_full_disk(void **state)
{
    (void)state;
    static char bytes[100000];
    test_write(in_folder("model"), "old", 3);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, handler;
    sigaction(SIGXFSZ, &ignore, &handler);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ic_status status = ic_file_save(context, in_folder("model"), bytes, sizeof bytes);
    setrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &handler, NULL);
    assert_fails(IC_ERROR_IO, "model: File too large", status);
    check_content(in_folder("model"), "old");
    assert_int_equal(entries(folder), 1);
}

/* Killed at any moment, a save leaves the old file or the new one. */
static void test_killed_while_saving(void **state)
{
    (void)state;
    static char bytes[2][200000];
    memset(bytes[0], 'a', sizeof bytes[0]);
    memset(bytes[1], 'b', sizeof bytes[1]);
    const char *path = in_folder("model");
    assert_ok(ic_file_save(context, path, bytes[0], sizeof bytes[0]));
    for (int round = 0; round < 50; round++) {
        pid_t child = fork();
        if (child == 0)
            for (int i = 1;; i++)
                ic_file_save(context, path, bytes[i % 2], sizeof bytes[0]);
        struct timespec time = {0, 200000 * (round % 10)};
        nanosleep(&time, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        size_t size;
        char *back = test_read_file(path, &size);
        assert_int_equal(size, sizeof bytes[0]);
        assert_memory_equal(back, bytes[back[0] == 'b'], size);
        free(back);
    }
}

static void test_paths(void **state)
{
    (void)state;
    test_write(in_folder("file"), "", 0);
    assert_int_equal(symlink("file", in_folder("link")), 0);
    assert_int_equal(ic_path_kind_of(in_folder("file")), IC_PATH_FILE);
    assert_int_equal(ic_path_kind_of(in_folder("link")), IC_PATH_FILE);
    assert_int_equal(ic_path_kind_of(folder), IC_PATH_FOLDER);
    assert_int_equal(ic_path_kind_of("/dev/null"), IC_PATH_OTHER);
    assert_int_equal(ic_path_kind_of(in_folder("none")), IC_PATH_NONE);
    assert_true(ic_path_same(in_folder("file"), in_folder("link")));
    assert_true(ic_path_same(in_folder("."), folder));
    assert_false(ic_path_same(in_folder("file"), folder));
    assert_false(ic_path_same(in_folder("none"), in_folder("none")));
    assert_string_equal(ic_path_name("a/b/c.png"), "c.png");
    assert_string_equal(ic_path_name("c.png"), "c.png");
    assert_string_equal(ic_path_name("a/"), "");

    static const char *const cases[][3] = {{"a", "b", "a/b"},
                                           {"a/", "b", "a/b"},
                                           {"/", "b", "/b"},
                                           {"", "b", "b"},
                                           {"a/b", "", "a/b/"}};
    for (int i = 0; i < 5; i++) {
        char *path;
        assert_ok(ic_path_join(context, cases[i][0], cases[i][1], &path));
        assert_string_equal(path, cases[i][2]);
        ic_free(context, path);
    }
}

static void test_list(void **state)
{
    (void)state;
    static const char *const names[] = {"B", "a10", "a2", "b", "caf\xC3\xA9", ".hidden"};
    for (int i = 0; i < 6; i++)
        test_write(in_folder(names[i]), "", 0);
    ic_listing listing;
    assert_ok(ic_folder_list(context, folder, &listing));
    assert_int_equal(listing.count, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(listing.names[i], names[i]);
    ic_listing_free(&listing);
    ic_listing_free(&listing);
    int before = open_descriptors();
    assert_fails(IC_ERROR_NOT_FOUND, "none: No such",
                 ic_folder_list(context, in_folder("none"), &listing));
    assert_fails(IC_ERROR_NOT_FOUND, "not a folder",
                 ic_folder_list(context, in_folder("a2"), &listing));
    assert_int_equal(listing.count, 0);
    const char *inner = in_folder("inner");
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_ok(ic_folder_list(context, inner, &listing));
    assert_int_equal(listing.count, 0);
    ic_listing_free(&listing);
    assert_int_equal(open_descriptors(), before);
}

/* One gzip member of the bytes. */
static size_t gzip(const void *bytes, size_t size, unsigned char *out, size_t capacity)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size = capacity - stream.avail_out;
    deflateEnd(&stream);
    return size;
}

static unsigned char plain[300000], packed[400000];

static size_t pack(void)
{
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (unsigned char)(i * i >> 7);
    return gzip(plain, sizeof plain, packed, sizeof packed);
}

static void test_gunzip(void **state)
{
    (void)state;
    size_t size = pack();
    ic_buffer out = {.context = context};
    assert_ok(ic_buffer_append(&out, "kept", 4));
    assert_ok(ic_gunzip(packed, size, sizeof plain, &out));
    assert_int_equal(out.size, 4 + sizeof plain);
    assert_memory_equal(out.bytes, "kept", 4);
    assert_memory_equal(out.bytes + 4, plain, sizeof plain);
    assert_fails(IC_ERROR_LIMIT, "more than 299999 bytes",
                 ic_gunzip(packed, size, sizeof plain - 1, &out));
    assert_int_equal(out.size, 4 + sizeof plain);
    ic_buffer_free(&out);

    /* Members behind one another are one text; so are zeros at the end, as on tapes. */
    size_t second = gzip("tail", 4, packed + size, sizeof packed - size);
    memset(packed + size + second, 0, 512);
    assert_ok(ic_gunzip(packed, size + second + 512, 1 << 20, &out));
    assert_int_equal(out.size, sizeof plain + 4);
    assert_memory_equal(out.bytes + sizeof plain, "tail", 4);
    ic_buffer_free(&out);
}

static void test_gunzip_refuses(void **state)
{
    (void)state;
    size_t size = pack();
    ic_buffer out = {.context = context};
    for (size_t cut = 0; cut < size; cut += cut < 40 || cut + 40 > size ? 1 : 997)
        assert_fails(IC_ERROR_FORMAT, "cut short", ic_gunzip(packed, cut, 1 << 20, &out));
    memcpy(packed + size, "junk", 4);
    assert_fails(IC_ERROR_FORMAT, "followed by", ic_gunzip(packed, size + 4, 1 << 20, &out));
    assert_fails(IC_ERROR_FORMAT, "followed by", ic_gunzip(packed, size + 1, 1 << 20, &out));
    packed[size / 2] ^= 0x40;
    assert_fails(IC_ERROR_FORMAT, "damaged", ic_gunzip(packed, size, 1 << 20, &out));
    packed[size / 2] ^= 0x40;
    packed[size - 6] ^= 1; /* the checksum */
    assert_fails(IC_ERROR_FORMAT, "incorrect data check", ic_gunzip(packed, size, 1 << 20, &out));
    assert_fails(IC_ERROR_FORMAT, "damaged", ic_gunzip("not gzip at all", 15, 1 << 20, &out));
    assert_int_equal(out.size, 0);
    ic_buffer_free(&out);
}

static ic_status all_of_it(ic_context *failing, void *payload)
{
    ic_buffer file = {.context = failing}, out = {.context = failing};
    ic_listing listing = {.context = failing};
    ic_status status;
    (void)payload;
    IC_TRY_CLEAN(ic_file_read(failing, in_folder("packed"), 1 << 20, &file));
    IC_TRY_CLEAN(ic_gunzip(file.bytes, file.size, 1 << 20, &out));
    IC_TRY_CLEAN(ic_file_save(failing, in_folder("copy"), out.bytes, out.size));
    IC_TRY_CLEAN(ic_folder_list(failing, folder, &listing));
cleanup:
    ic_listing_free(&listing);
    ic_buffer_free(&out);
    ic_buffer_free(&file);
    return status;
}

static void test_running_out(void **state)
{
    (void)state;
    test_write(in_folder("packed"), packed, pack());
    int before = open_descriptors();
    assert_true(test_fail_each_allocation(all_of_it, NULL) > 8);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(entries(folder), 2);
}

static int set_up(void **state)
{
    (void)state;
    context = test_context(1);
    folder = test_folder();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(folder);
    ic_context_free(context);
    return 0;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_read),
        TEST(test_read_refuses),
        TEST(test_save),
        TEST(test_save_in_the_current_folder),
        TEST(test_save_through_a_link),
        TEST(test_save_refuses),
        TEST(test_stale_temporaries),
        TEST(test_full_disk),
        TEST(test_killed_while_saving),
        TEST(test_paths),
        TEST(test_list),
        TEST(test_gunzip),
        TEST(test_gunzip_refuses),
        TEST(test_running_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
