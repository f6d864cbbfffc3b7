package organization

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab"
	"github.com/relight-aws/relight/internal/lab/tap"
)

// arena is the lab that all tests share, because a deployment takes half a minute.
var arena *lab.Arena

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	begin := time.Now()
	var err error
	arena, err = lab.Open(ctx, lab.Options{Accounts: lab.MaxAccounts()}, func(step string) {
		fmt.Printf("%4.0fs  %s\n", time.Since(begin).Seconds(), step)
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	shut = append(shut, span{from: begin, to: time.Now()}) // the hub is deployed, and sweeps, before the other accounts let it in
	code := m.Run()
	if err := arena.Cloud.Close(); err != nil {
		fmt.Println("the lab itself failed:", err)
		return 1
	}
	return code
}

// healTimeout limits the wait for what a function does, which takes about a second.
const healTimeout = 45 * time.Second

// restorations returns the writes in an account since a moment that functions of the hub
// made and AWS accepted.
func restorations(account string, since time.Time) []tap.Call {
	return arena.Cloud.Tap.Calls(func(c tap.Call) bool {
		_, ours := arena.Deployment.By(c.Role, c.Principal)
		return ours && c.Account == account && c.Write && c.ErrorCode == "" && c.Undone == "" && !c.Time.Before(since)
	})
}

// Every attack of the demo on a guarded account is healed from the hub, by a function in a
// session of the role there, and none of the functions writes in another guarded account.
func TestAttacks(t *testing.T) { carryOutAll(t, lab.SpokeAttacks()) }

// Every cut wire of the demo is put back from the hub, or a message names the account and
// what is cut.
func TestCuts(t *testing.T) { carryOutAll(t, lab.Cuts()) }

func carryOutAll(t *testing.T, attacks []lab.Attack) {
	for _, at := range attacks {
		t.Run(at.Account+" "+at.Region+" "+at.Name, func(t *testing.T) { carryOut(t, at) })
	}
	broken, err := arena.Verify(t.Context())
	must(t, err)
	if len(broken) > 0 {
		t.Errorf("after the attacks, the AWS CLI finds these broken links: %v", broken)
	}
}

// carryOut carries out an attack. It does so once more if a sweep that its schedule started
// was faster than the events.
func carryOut(t *testing.T, at lab.Attack) {
	t.Helper()
	heal, err := arena.Attack(t.Context(), at)
	if err == nil && heal.Why == lab.OnlySweep {
		heal, err = arena.Attack(t.Context(), at)
	}
	must(t, err)
	if at.Cut && at.Reported {
		shut = append(shut, span{at.Account, heal.Since, time.Now()})
	}
	if heal.Healed == at.Reported || heal.Reported != at.Reported {
		t.Fatalf("%s\nthe functions logged:\n%s", heal.Why, strings.Join(arena.Complaints(t.Context()), "\n"))
	}
	t.Logf("%d ms: %v", heal.Millis, heal.Restored)
}

func operations(calls []tap.Call) (out []string) {
	for _, c := range calls {
		out = append(out, c.Account+" "+c.Service+" "+c.Operation)
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
