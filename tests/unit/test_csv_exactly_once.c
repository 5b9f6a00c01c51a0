/* test_csv_exactly_once.c - csv-export in processes that die inside a write, or before the journal has
 * settled what was written, under a clock that jumps: each event must have exactly one row. */
#include "csv_rig.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define EVENTS 120

struct world { /* shared with the processes that get killed */
	char checkpoint[4096];
	size_t checkpoint_n;
	size_t settled; /* events */
};

static void settle_in(struct world *world, const struct rig *rig)
{
	memcpy(world->checkpoint, rig->checkpoint, rig->checkpoint_n);
	world->checkpoint_n = rig->checkpoint_n;
}

static uint64_t random_state;

static unsigned dice(unsigned sides)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % sides;
}

static patchbay_delivery nth_event(size_t i, char id[16], char data[128])
{
	static const char *const texts[] = { "x",  "a,b", "\\\"q\\\"", "line\\r\\nbreak", "\\\"\\\"",
					     "=1", ",",   "\\r",       "1,1,x\\r\\n",     "" };
	snprintf(id, 16, "e%zu", i);
	snprintf(data, 128, "{\"n\":%zu,\"text\":\"%s\"}", i, texts[i % 10]);
	return event(id, data);
}

/* One process's life: until it has settled what it wanted to, or dies of SIGXFSZ inside a write. */
static void live(struct rig *rig, struct world *world, uint64_t seed)
{
	static char ids[20][16], datas[20][128];
	patchbay_delivery batch[20];
	random_state = seed;
	memcpy(rig->checkpoint, world->checkpoint, world->checkpoint_n);
	rig->checkpoint_n = world->checkpoint_n;
	if (rig_start(rig) != PATCHBAY_OK)
		_exit(3);
	if (dice(2))
		limit_file_size(dice(1500));
	for (unsigned steps = dice(12); steps && world->settled < EVENTS; steps--) {
		size_t n = 1 + dice(19);
		if (n > EVENTS - world->settled)
			n = EVENTS - world->settled;
		for (size_t i = 0; i < n; i++)
			batch[i] = nth_event(world->settled + i, ids[i], datas[i]);
		switch (dice(8)) {
		case 0:
			rig->now_ns += INT64_C(60000000000) * (1 + dice(3));
			break;
		case 1:
			rig->now_ns -= INT64_C(60000000000);
			break;
		case 2:
			rig_idle(rig, true);
			if (dice(2))
				_exit(0); /* before the journal has it */
			settle_in(world, rig);
			break;
		default:
			break;
		}
		bool settle = dice(6) != 0;
		patchbay_status status = rig_act(rig, batch, n, settle);
		if (status != PATCHBAY_OK && status != PATCHBAY_AGAIN)
			_exit(4);
		if (!settle)
			break; /* dies before the journal has it */
		settle_in(world, rig);
		if (status == PATCHBAY_OK)
			world->settled += n;
	}
	_exit(0);
}

/* Counts how often each event is in the file, whose rows must all be whole. */
static void count_file(struct rig *rig, const char *name, unsigned seen[EVENTS])
{
	size_t n, rows = 0;
	char *text = rig_read(rig, name, &n);
	struct reader reader = { text, text + n };
	struct buf cell = { 0 };
	int got = READ_ROW_END;
	if (n < sizeof(HEADER) - 1 || memcmp(text, HEADER, sizeof(HEADER) - 1) != 0)
		fail_msg("%s does not begin with the header", name);
	reader.p += sizeof(HEADER) - 1;
	for (;; rows++) {
		char id[16], data[128];
		got = read_cell(&reader, &cell);
		if (got == READ_END)
			break;
		size_t i = strtoul(buf_cstr(&cell) + 1, NULL, 10);
		assert_true(got == READ_CELL && i < EVENTS);
		nth_event(i, id, data);
		assert_string_equal(buf_cstr(&cell), id);
		assert_int_equal(read_cell(&reader, &cell), READ_CELL);
		assert_string_equal(buf_cstr(&cell), id + 1);
		assert_int_equal(read_cell(&reader, &cell), READ_ROW_END);
		seen[i]++;
	}
	assert_true(rows > 0); /* no file is ever empty */
	buf_free(&cell);
	free(text);
}

static void each_event_is_written_exactly_once(void **state)
{
	struct rig *rig = rig_open();
	struct world *world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned killed = 0, lives = 0;
	rig_path(rig, "%H%M.csv");
	for (uint64_t seed = 1; seed <= 150; seed++) {
		unsigned seen[EVENTS] = { 0 };
		char names[256][256];
		rig_enum(rig, "handover", seed % 2);
		memset(world, 0, sizeof(*world));
		rig->now_ns = NOON_NS;
		for (uint64_t life = 0; world->settled < EVENTS; life++) {
			int how;
			assert_true(life < 5000);
			rig->now_ns += INT64_C(10000000000) * (int64_t)(life % 3);
			pid_t child = fork();
			if (child == 0)
				live(rig, world, seed * 1000003 + life);
			assert_int_equal(waitpid(child, &how, 0), child);
			killed += WIFSIGNALED(how) && WTERMSIG(how) == SIGXFSZ;
			lives++;
			if (!(WIFSIGNALED(how) && WTERMSIG(how) == SIGXFSZ) &&
			    !(WIFEXITED(how) && WEXITSTATUS(how) == 0))
				fail_msg("seed %u: a process ended with %x", (unsigned)seed, (unsigned)how);
		}
		size_t n = rig_list(rig, names, 256);
		for (size_t i = 0; i < n; i++)
			if (!strstr(names[i], ".tmp"))
				count_file(rig, names[i], seen);
		for (size_t i = 0; i < EVENTS; i++)
			if (seen[i] != 1)
				fail_msg("seed %u: event %zu was written %u times", (unsigned)seed, i, seen[i]);
		rig_empty_folder(rig);
	}
	print_message("%u processes, %u of them killed inside a write\n", lives, killed);
	assert_true(killed > 100);
	munmap(world, sizeof(*world));
	rig_close(rig);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_event_is_written_exactly_once) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
