package bench_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relight-aws/relight/internal/bench"
)

func TestParse(t *testing.T) {
	want := []bench.Figure{{"a/b", 3, "calls"}, {"c", 1.25, "s"}}
	got, err := bench.Parse("# a comment\n\n" + bench.Lines(want))
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, bad := range []string{"a 1", "a one calls", "a 1 calls more"} {
		if _, err := bench.Parse(bad); err == nil {
			t.Errorf("%q is a figure", bad)
		}
	}
}

// A count that grows is found, and so is a record that says too much or too little.
func TestCompare(t *testing.T) {
	was := []bench.Figure{{"same", 1, "calls"}, {"more", 1, "calls"}, {"less", 2, "calls"}, {"gone", 1, "calls"}, {"other", 1, "s"}}
	is := []bench.Figure{{"same", 1, "calls"}, {"more", 2, "calls"}, {"less", 1.5, "calls"}, {"new", 1, "calls"}, {"other", 1, "ms"}}
	want := []string{
		"more 2 calls has grown: it was 1", "less 1.5 calls is smaller: it was 2", "new 1 calls is new", "other 1 ms was in s",
		"gone is recorded and was not measured",
	}
	if diff := cmp.Diff(want, bench.Compare(was, is, 0)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
