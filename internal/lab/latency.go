package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/relight-aws/relight/internal/lab/tap"
)

// A Latency is how long one protection stays away after it was deleted: from the
// answer to the attack to the answer to the call that restored it, as the tap saw both.
type Latency struct {
	Attack   string
	Restored string // the restoring call
	Rounds   []Round
}

// A Round is one deletion and its repair. Each part begins where the one before it ends.
type Round struct {
	ToBus   time.Duration // until the attack's event was on its bus
	ToFirst time.Duration // until the function made its first call: queue, poll and invocation
	Calls   time.Duration // until the restoring call was answered
	Made    int           // the function's calls so far, that one included
}

// Took returns the whole time of a round.
func (r Round) Took() time.Duration { return r.ToBus + r.ToFirst + r.Calls }

// Median returns the median over the rounds of a part, or of the whole for Round.Took.
func (l Latency) Median(of func(Round) time.Duration) time.Duration {
	return l.at(of, 50)
}

// at returns a percentile of the rounds; 100 is the slowest.
func (l Latency) at(of func(Round) time.Duration, percent int) time.Duration {
	var all []time.Duration
	for _, r := range l.Rounds {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all[(len(all)-1)*percent/100]
}

// String returns the figures on one line.
func (l Latency) String() string {
	var made []int
	for _, r := range l.Rounds {
		made = append(made, r.Made)
	}
	slices.Sort(made)
	return fmt.Sprintf("%s to %s, %d rounds: median %d ms (event %d, queue and invocation %d, %d calls %d), slowest %d ms", l.Attack, l.Restored, len(l.Rounds),
		l.Median(Round.Took).Milliseconds(), l.Median(func(r Round) time.Duration { return r.ToBus }).Milliseconds(),
		l.Median(func(r Round) time.Duration { return r.ToFirst }).Milliseconds(), made[(len(made)-1)/2],
		l.Median(func(r Round) time.Duration { return r.Calls }).Milliseconds(), l.at(Round.Took, 100).Milliseconds())
}

// A deletion is an attack on one protection.
type deletion struct {
	attack, restored string
	function         string // name without the prefix
	// delete deletes the protection of a round and returns what the restoring call names.
	delete func(ctx context.Context, s *Session, t Target, round int) (target string, err error)
}

var deletions = []deletion{
	{"monitoring DeleteAlarms", "PutMetricAlarm", "alarms", func(ctx context.Context, s *Session, t Target, round int) (string, error) {
		names, err := s.alarms(ctx, t)
		if err != nil || len(names) == 0 {
			return "", cmp.Or(err, errors.New("there are no alarms"))
		}
		name := names[round%len(names)]
		_, err = s.CloudWatch.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}})
		return name, err
	}},
	{"logs DeleteMetricFilter", "PutMetricFilter", "loggroups", func(ctx context.Context, s *Session, t Target, round int) (string, error) {
		out, err := s.Logs.DescribeMetricFilters(ctx, &cloudwatchlogs.DescribeMetricFiltersInput{
			LogGroupName: aws.String(t.TrailLogGroup), FilterNamePrefix: aws.String(t.Prefix + "-"),
		})
		if err != nil || len(out.MetricFilters) == 0 {
			return "", cmp.Or(err, errors.New("there are no metric filters"))
		}
		name := out.MetricFilters[round%len(out.MetricFilters)].FilterName
		_, err = s.Logs.DeleteMetricFilter(ctx, &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String(t.TrailLogGroup), FilterName: name})
		return aws.ToString(name), err
	}},
	{"ec2 DeleteFlowLogs", "CreateFlowLogs", "flowlogs", func(ctx context.Context, s *Session, t Target, round int) (string, error) {
		vpc := t.VPCs[round%len(t.VPCs)]
		ids, err := s.flowLogs(ctx, "", vpc)
		if err != nil {
			return "", err
		}
		_, err = s.EC2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: ids})
		return vpc, err
	}},
}

// between is the pause after each round. AWS takes a few writes a second, and relight
// stays below that: rounds without a pause would measure its pace.
const between = 500 * time.Millisecond

// Latencies deletes one alarm, one metric filter and one flow log in turn, over and over,
// and measures how long each was away. It goes through alarms, filters and VPCs of its own
// in turn, since relight leaves to the sweep what somebody undoes again and again. The VPCs
// stay.
func Latencies(ctx context.Context, rounds int, arenas ...*Arena) ([][]Latency, error) {
	all, targets := make([][]Latency, len(arenas)), make([]Target, len(arenas))
	for i, a := range arenas {
		targets[i] = a.Target(Region)
		var err error
		if targets[i].VPCs, err = a.freshVPCs(ctx); err != nil {
			return nil, err
		}
		for _, d := range deletions {
			all[i] = append(all[i], Latency{Attack: d.attack, Restored: d.restored})
		}
	}
	for round := range rounds {
		for k, d := range deletions {
			for i, a := range arenas {
				r, err := a.round(ctx, d, targets[i], round)
				if err != nil {
					return nil, fmt.Errorf("%s, round %d: %w", d.attack, round+1, err)
				}
				all[i][k].Rounds = append(all[i][k].Rounds, r)
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(between):
			}
		}
	}
	return all, nil
}

// freshVPCs makes two VPCs and waits until they have flow logs.
func (a *Arena) freshVPCs(ctx context.Context) (vpcs []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, healTimeout)
	defer cancel()
	root := a.Cloud.Root().In(Region)
	for _, cidr := range []string{"10.20.0.0/16", "10.21.0.0/16"} {
		out, err := root.EC2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String(cidr)})
		if err != nil {
			return nil, err
		}
		vpcs = append(vpcs, aws.ToString(out.Vpc.VpcId))
	}
	for _, vpc := range vpcs {
		for {
			_, err := root.flowLogs(ctx, "", vpc)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("%s: %w", vpc, err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return vpcs, nil
}

// round makes one deletion and waits until the protection is back.
func (a *Arena) round(ctx context.Context, d deletion, t Target, n int) (Round, error) {
	role := ""
	for arn, f := range a.Deployment.Functions {
		if f.Name == a.Prefix+"-"+d.function {
			role = arn
		}
	}
	var onBus sync.Map // by event ID: when the event was on its bus
	defer a.Cloud.Tap.OnEvent(func(e tap.Event) { onBus.Store(e.ID, time.Now()) })()
	restored := make(chan struct{}, 1)
	defer a.Cloud.Tap.OnCall(func(c tap.Call) {
		if c.Role == role && c.Operation == d.restored {
			select {
			case restored <- struct{}{}:
			default:
			}
		}
	})()
	since := time.Now()
	target, err := d.delete(ctx, a.Customer.Intruder.In(Region), t, n)
	if err != nil {
		return Round{}, err
	}
	timeout := time.After(healTimeout)
	for {
		calls := a.Cloud.Tap.Calls(func(c tap.Call) bool { return !c.Time.Before(since) })
		attack := slices.IndexFunc(calls, func(c tap.Call) bool { return strings.HasSuffix(d.attack, " "+c.Operation) })
		last := slices.IndexFunc(calls, func(c tap.Call) bool {
			return c.Role == role && c.Operation == d.restored && c.ErrorCode == "" && c.Undone == "" && strings.Contains(fmt.Sprint(c.Params), target)
		})
		if last >= 0 {
			if err := a.Cloud.Tap.Flush(ctx); err != nil {
				return Round{}, err
			}
			bus, _ := onBus.Load(calls[attack].EventIDs[0])
			return roundOf(calls[:last+1], calls[attack], role, bus.(time.Time)), nil
		}
		select {
		case <-ctx.Done():
			return Round{}, ctx.Err()
		case <-timeout:
			return Round{}, fmt.Errorf("%s was not restored within %s", target, healTimeout)
		case <-restored:
		}
	}
}

// roundOf divides the time from an attack to the last of the calls.
func roundOf(calls []tap.Call, attack tap.Call, role string, onBus time.Time) Round {
	attacked := attack.Time.Add(attack.Took)
	r := Round{ToBus: onBus.Sub(attacked)}
	var first time.Time
	for _, c := range calls {
		if c.Role == role && c.Time.After(attacked) {
			r.Made++
			if first.IsZero() || c.Time.Before(first) {
				first = c.Time
			}
		}
	}
	last := calls[len(calls)-1]
	r.ToFirst = first.Sub(attacked) - r.ToBus
	r.Calls = last.Time.Add(last.Took).Sub(first)
	return r
}
