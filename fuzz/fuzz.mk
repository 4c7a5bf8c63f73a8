# The fuzzers with libFuzzer: what `make fuzz-build` of the build tree runs. The library is built
# once more, with clang and the sanitizers, whatever the tree was configured for.
#
# From the Makefile: srcdir, work (a folder below the build tree), core and rest (the sources of the
# two libraries), libs (what they need from the system), cppflags, targets.

FUZZ_CC = clang
ifeq ($(shell command -v $(FUZZ_CC)),)
$(error $(FUZZ_CC) is missing, or set FUZZ_CC. Debian and Ubuntu: clang libclang-rt-dev)
endif
flags = -std=c11 -pthread -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
compile = $(FUZZ_CC) $(flags) -fsanitize=fuzzer-no-link $(cppflags) -MMD -MP

# arena_exact.c takes the place of lib/arena.c.
core_objects = $(patsubst %.c,$(work)/obj/%.o,$(filter-out lib/arena.c,$(filter %.c,$(core))))
rest_objects = $(patsubst %.c,$(work)/obj/%.o,$(filter %.c,$(rest)))
replay_objects = $(work)/obj/tests/replay/replay_file.o
arena = $(work)/obj/fuzz/arena_exact.o

all: $(targets:%=$(work)/bin/%)

$(work)/core.a: $(core_objects) $(arena)
$(work)/rest.a: $(rest_objects)
$(work)/replay.a: $(replay_objects)
$(work)/%.a:
	@rm -f $@
	@ar cr $@ $^

$(work)/obj/%.o: $(srcdir)/%.c
	@mkdir -p $(@D)
	@echo "  FUZZCC   $@"
	@$(compile) -c -o $@ $<

$(work)/bin/%: $(work)/obj/fuzz/%.o $(work)/replay.a $(work)/rest.a $(work)/core.a
	@mkdir -p $(@D)
	@echo "  FUZZLD   $@"
	@$(FUZZ_CC) $(flags) -fsanitize=fuzzer -o $@ $^ $(libs)

.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $(work)/obj/*/*.d $(work)/obj/*/*/*.d)
