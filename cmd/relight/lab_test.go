package main

import (
	"strings"
	"testing"

	"github.com/relight-aws/relight/internal/lab"
)

// The guide has the keys of each account, and says what there is to attack in it.
func TestLabGuide(t *testing.T) {
	principal := func(key string) lab.Principal { return lab.Principal{AccessKey: key, Secret: "of-" + key} }
	arena := &lab.Arena{Cloud: &lab.Cloud{Endpoint: "http://127.0.0.1:4566"}, Customer: &lab.Customer{TrailLogGroup: "own", Intruder: principal("hub")}}
	alone := attackGuide(arena)
	if !strings.Contains(alone, "AWS_ACCESS_KEY_ID=hub AWS_SECRET_ACCESS_KEY=of-hub") || strings.Contains(alone, "organisation") || strings.Contains(alone, "%!") {
		t.Errorf("of a lab with one account:\n%s", alone)
	}
	arena.Spokes = []*lab.Spoke{
		{Account: "222233334444", Customer: lab.Customer{TrailLogGroup: "theirs", Intruder: principal("first")}},
		{Account: "333344445555", Customer: lab.Customer{Intruder: principal("second")}},
	}
	guide := attackGuide(arena)
	for _, want := range []string{
		"111122223333, the hub", "account 222233334444, which owns a trail\n  export AWS_ACCESS_KEY_ID=first AWS_SECRET_ACCESS_KEY=of-first\n",
		"--log-group-name theirs", "account 333344445555, which owns no trail\n  export AWS_ACCESS_KEY_ID=second AWS_SECRET_ACCESS_KEY=of-second\n",
	} {
		if !strings.Contains(guide, want) {
			t.Errorf("the guide does not say %q:\n%s", want, guide)
		}
	}
	if strings.Contains(guide, "%!") || strings.Count(guide, "delete-metric-filter") != 1 {
		t.Errorf("the guide:\n%s", guide)
	}
	if code, out, stderr := relight(t, "lab", "--accounts", "9"); code != exitError || out != "" || !strings.Contains(stderr, "a lab has at most 3 accounts") {
		t.Errorf("with 9 accounts: %d, %s%s", code, out, stderr)
	}
}
