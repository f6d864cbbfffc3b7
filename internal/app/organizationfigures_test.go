package app_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cttypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awstest"
	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
)

// The workload of an organisation.
const (
	orgAccounts = 500
	orgFewer    = 201 // of them without make bench, which takes longer
	orgRegions  = 17
	orgVPCs     = 20 // of each account
	orgAtOnce   = 8  // accounts that are swept at the same time, each by a process of its own: the default
)

// regionNames are the regions of each account.
func regionNames() []string {
	names := []string{home, second}
	for i := len(names); i < orgRegions; i++ {
		names = append(names, fmt.Sprintf("ap-bench-%d", i))
	}
	return names
}

// What it costs to bring an organisation to its desired state, and to find that it has it: it
// takes hardly longer than AWS asks for, and each VPC gets one flow log.
//
// The floor is the time of one account, times the accounts for each process, or what AWS takes to
// write one parameter for each account, if that is longer.
func TestFiguresOfOrganization(t *testing.T) {
	if !*measured {
		t.Skip("it takes long: -measured")
	}
	synctest.Test(t, func(t *testing.T) {
		accounts, exact := orgFewer, *record || *show
		if exact {
			accounts = orgAccounts
		}
		var ids []string
		for i := range accounts {
			ids = append(ids, fmt.Sprint(300000000000+i))
		}
		w := healthy(t, hubConfig(`"accounts":["`+strings.Join(ids, `","`)+`"]`))
		w.PageSize(0)
		members := make([]*awstest.Account, len(ids))
		for i, id := range ids {
			a := awstest.New(id, home)
			a.PageSize(0)
			a.AddTrail(cttypes.Trail{ // the organisation's, which its management account owns
				Name: aws.String("org"), HomeRegion: aws.String(home), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true),
				TrailARN:                  aws.String("arn:aws:cloudtrail:" + home + ":" + other + ":trail/org"),
				CloudWatchLogsLogGroupArn: aws.String("arn:aws:logs:" + home + ":" + other + ":log-group:org:*"),
			})
			members[i] = a
			for _, r := range regionNames()[1:] {
				a.AddRegion(r, "opt-in-not-required")
			}
			for n := range orgVPCs {
				a.AddVPC(regionNames()[n%orgRegions], fmt.Sprintf("vpc-%08x", n))
			}
		}
		w.org = awstest.NewOrganization(organizationID, append([]*awstest.Account{w.Account}, members...)...)
		for _, a := range members {
			a.Now = w.time
			w.makeStack(a, home, "no")
			w.makeStack(a, second, "no")
		}
		w.timed()
		for _, a := range append([]*awstest.Account{w.Account}, members...) {
			a.Latency, a.Drift, a.Throttles = latency, latency/10, func(string) bool { return true }
		}
		var figures []bench.Figure
		for _, sweep := range []string{"first", "next"} {
			name := fmt.Sprintf("organization/%d-accounts-%s/", accounts, sweep)
			alone := w.sweepOrganization(ids[:1], 1)
			before, calls := w.Throttled().Total(), w.Calls()
			took := w.sweepOrganization(ids[1:], orgAtOnce)
			throttled := w.Throttled().Total() - before
			remembered := w.Calls().Since(calls)["PutParameter"] - throttled
			floor := max(alone.Seconds()*float64(len(ids)-1)/orgAtOnce, float64(remembered)/parametersPerSecond)
			if took.Seconds() > mostOfFloor*floor {
				t.Errorf("%s: %.1f s, want at most %.1f times %.1f s", name, took.Seconds(), mostOfFloor, floor)
			}
			if written := map[string]int{"first": len(ids) - 1, "next": 0}[sweep]; remembered != written {
				t.Errorf("%s: %d parameters written, want %d", name, remembered, written)
			}
			figures = append(figures,
				bench.Figure{Name: name + "took", Value: math.Round(took.Seconds()*10) / 10, Unit: "s"},
				bench.Figure{Name: name + "floor", Value: math.Round(floor*10) / 10, Unit: "s"},
				bench.Figure{Name: name + "one-account", Value: math.Round(alone.Seconds()*10) / 10, Unit: "s"},
				bench.Figure{Name: name + "remembered", Value: float64(remembered), Unit: "calls"},
				bench.Figure{Name: name + "throttled", Value: float64(throttled), Unit: "calls"},
			)
		}
		for _, a := range members {
			for _, r := range regionNames() {
				logged := map[string]int{}
				for _, fl := range must(a.In(r).EC2.DescribeFlowLogs(t.Context(), &ec2.DescribeFlowLogsInput{})).FlowLogs {
					logged[*fl.ResourceId]++
				}
				for n := range orgVPCs {
					if regionNames()[n%orgRegions] == r && logged[fmt.Sprintf("vpc-%08x", n)] != 1 {
						t.Fatalf("%s %s: flow logs %v", a.ID, r, logged)
					}
				}
			}
		}
		if exact {
			keptWithin(t, "organization", figures, orgSlack)
		}
	})
}

// parametersPerSecond is how many parameters AWS lets the hub write.
const parametersPerSecond = 3

// orgSlack is by which the figures differ from run to run: who is throttled waits for a random time.
const orgSlack = 0.15

// mostOfFloor is how many times as long as the floor a sweep of the organisation may take.
const mostOfFloor = 1.2

// sweepOrganization has accounts swept, so many at once, and returns how long it took.
func (w *world) sweepOrganization(ids []string, atOnce int) time.Duration {
	began := time.Now()
	next := make(chan string, len(ids))
	for _, id := range ids {
		next <- id
	}
	close(next)
	var all sync.WaitGroup
	for range atOnce {
		a := w.instance(catalog.Backfill)
		all.Go(func() {
			for id := range next {
				if s, err := a.Sweep(w.t.Context(), app.Request{Account: id}, nil); err != nil || s.Unrestored > 0 {
					w.t.Errorf("%s: %v %+v", id, err, s.Unrestored)
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}
