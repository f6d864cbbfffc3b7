package remedy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
)

const account = "111122223333"

func alarms(names ...string) remedy.Scope {
	return remedy.Scope{Account: account, Region: "us-east-1", Kind: catalog.Alarms, Type: catalog.Alarm, Names: remedy.NamesOf(names...)}
}

func TestMerge(t *testing.T) {
	var hundred, more []string
	for i := range remedy.MaxNames {
		hundred = append(hundred, fmt.Sprintf("a%03d", i))
	}
	more = append(more, hundred...)
	more = append(more, "b")
	vpcs := remedy.Scope{Account: account, Region: "us-east-1", Kind: catalog.FlowLogs, Type: catalog.VPC}
	groups := remedy.Scope{Account: account, Region: "us-east-1", Kind: catalog.FlowLogs, Type: catalog.LogGroup, Names: "g"}
	elsewhere := alarms("a")
	elsewhere.Region = "eu-west-1"
	tests := map[string]struct{ in, want []remedy.Scope }{
		"none":                    {nil, []remedy.Scope{}},
		"one":                     {[]remedy.Scope{alarms("a")}, []remedy.Scope{alarms("a")}},
		"names are united":        {[]remedy.Scope{alarms("b"), alarms("a", "b")}, []remedy.Scope{alarms("a", "b")}},
		"no names win":            {[]remedy.Scope{alarms("b"), alarms(), alarms("a")}, []remedy.Scope{alarms()}},
		"as many as it keeps":     {[]remedy.Scope{alarms(hundred...)}, []remedy.Scope{alarms(hundred...)}},
		"more than that are all":  {[]remedy.Scope{alarms(hundred...), alarms("b")}, []remedy.Scope{alarms()}},
		"more in one are all":     {[]remedy.Scope{alarms(more...)}, []remedy.Scope{alarms()}},
		"repeated are not more":   {[]remedy.Scope{alarms(hundred...), alarms(hundred...)}, []remedy.Scope{alarms(hundred...)}},
		"everything wins":         {[]remedy.Scope{vpcs, vpcs.Everything(), groups}, []remedy.Scope{vpcs.Everything()}},
		"types stay apart":        {[]remedy.Scope{vpcs, groups}, []remedy.Scope{groups, vpcs}},
		"regions stay apart":      {[]remedy.Scope{alarms("a"), elsewhere}, []remedy.Scope{elsewhere, alarms("a")}},
		"everything of one place": {[]remedy.Scope{elsewhere.Everything(), alarms("a")}, []remedy.Scope{elsewhere.Everything(), alarms("a")}},
	}
	for name, tt := range tests {
		if diff := cmp.Diff(tt.want, remedy.Merge(tt.in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func anyScope() *rapid.Generator[remedy.Scope] {
	return rapid.Custom(func(r *rapid.T) remedy.Scope {
		s := remedy.Scope{
			Account: rapid.SampledFrom([]string{account, "444455556666"}).Draw(r, "account"),
			Region:  rapid.SampledFrom([]string{"us-east-1", "eu-west-1"}).Draw(r, "region"),
			Kind:    rapid.SampledFrom(catalog.Kinds()).Draw(r, "kind"),
			Type:    rapid.SampledFrom([]catalog.ResourceType{"", catalog.VPC, catalog.LogGroup, catalog.FilteredGroup}).Draw(r, "type"),
		}
		if s.Type != "" {
			n := rapid.SampledFrom([]int{0, 1, 3, 60}).Draw(r, "how many names")
			names := rapid.SliceOfN(rapid.StringMatching(`[a-c][0-9a-f]{1,2}`), n, n).Draw(r, "names")
			s.Names = remedy.NamesOf(names...)
		}
		return s
	})
}

// A merged set looks at all that was asked for, at nothing twice, whatever
// the order, and stays within what one call takes.
func TestMergeKeepsEverything(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := rapid.SliceOfN(anyScope(), 0, 12).Draw(r, "scopes")
		before := slices.Clone(in)
		merged := remedy.Merge(in)
		if !slices.Equal(in, before) {
			r.Error("Merge changed its argument")
		}
		for _, s := range in {
			if !slices.ContainsFunc(merged, func(m remedy.Scope) bool { return m.Covers(s) }) {
				r.Errorf("nothing in %v covers %v", merged, s)
			}
		}
		for i, m := range merged {
			if len(m.Names.List()) > remedy.MaxNames {
				r.Errorf("%d names in one scope", len(m.Names.List()))
			}
			for j, o := range merged {
				if i != j && m.Covers(o) {
					r.Errorf("%v covers %v", m, o)
				}
			}
		}
		if again := remedy.Merge(rapid.Permutation(in).Draw(r, "shuffled")); !slices.Equal(again, merged) {
			r.Errorf("shuffled it merges to %v, not %v", again, merged)
		}
		if again := remedy.Merge(merged); !slices.Equal(again, merged) {
			r.Errorf("merged again it is %v, not %v", again, merged)
		}
	})
}

func TestCovers(t *testing.T) {
	everything := alarms().Everything()
	tests := []struct {
		s, o remedy.Scope
		want bool
	}{
		{everything, everything, true},
		{everything, alarms(), true},
		{everything, alarms("a"), true},
		{alarms(), everything, false},
		{alarms(), alarms(), true},
		{alarms(), alarms("a"), true},
		{alarms("a"), alarms(), false},
		{alarms("a", "b"), alarms("b"), true},
		{alarms("b"), alarms("a", "b"), false},
		{alarms("a"), alarms("b"), false},
		{alarms("a"), everything, false},
	}
	for _, tt := range tests {
		if got := tt.s.Covers(tt.o); got != tt.want {
			t.Errorf("%v covers %v: %t, want %t", tt.s, tt.o, got, tt.want)
		}
		for what, change := range map[string]func(*remedy.Scope){
			"account": func(s *remedy.Scope) { s.Account = "444455556666" },
			"region":  func(s *remedy.Scope) { s.Region = "eu-west-1" },
			"kind":    func(s *remedy.Scope) { s.Kind = catalog.LogGroups },
		} {
			o := tt.o
			if change(&o); tt.s.Covers(o) {
				t.Errorf("%v covers %v of another %s", tt.s, o, what)
			}
		}
	}
}

func TestNames(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		names := rapid.SliceOf(rapid.StringMatching(`[ -~]{1,6}`)).Draw(r, "names")
		set := remedy.NamesOf(names...)
		want := slices.Compact(slices.Sorted(slices.Values(names)))
		if !slices.Equal(set.List(), want) {
			r.Errorf("names %q, want %q", set.List(), want)
		}
		if again := remedy.NamesOf(rapid.Permutation(names).Draw(r, "shuffled")...); again != set {
			r.Errorf("shuffled it is %q, not %q", again, set)
		}
	})
}

func TestScopeString(t *testing.T) {
	for want, s := range map[string]remedy.Scope{
		"111122223333/us-east-1/alarms":           alarms().Everything(),
		"111122223333/us-east-1/alarms/alarm":     alarms(),
		"111122223333/us-east-1/alarms/alarm:a,b": alarms("b", "a"),
	} {
		if got := s.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
