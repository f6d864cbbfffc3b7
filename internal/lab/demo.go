package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"golang.org/x/sync/errgroup"

	"github.com/relight-aws/relight/internal/catalog"
)

// Open starts a lab: the cloud, a customer's account in it, and a deployment of
// the checkout to that account. If there are more accounts, they are an organisation, and
// the deployment guards them. It calls say at the start of each step. The caller closes the
// Arena's Cloud.
func Open(ctx context.Context, o Options, say func(step string)) (*Arena, error) {
	further := max(o.Accounts, 1) - 1
	if further > len(guarded()) {
		return nil, fmt.Errorf("a lab has at most %d accounts", MaxAccounts())
	}
	here, err := Checkout()
	if err != nil {
		return nil, err
	}
	if o.Venv == "" {
		o.Venv = filepath.Join(here, ".venv")
	}
	say("starting the emulator")
	cloud, err := Start(ctx, o)
	if err != nil {
		return nil, err
	}
	a := &Arena{Cloud: cloud, Prefix: "relight"}
	if err := a.settleIn(ctx, cmp.Or(o.Checkout, here), o.Config, guarded()[:further], say); err != nil {
		return nil, errors.Join(err, cloud.Close())
	}
	return a, nil
}

func (a *Arena) settleIn(ctx context.Context, dir string, config map[string]any, further []string, say func(string)) (err error) {
	say("making the account: a trail, VPCs in two regions, an intruder")
	if a.Customer, err = NewCustomer(ctx, a.Cloud); err != nil {
		return err
	}
	if len(further) > 0 {
		say("making an organisation of it and " + strings.Join(further, " and "))
		organization, err := a.organize(ctx, further)
		if err != nil {
			return err
		}
		config = maps.Clone(config)
		if config == nil {
			config = map[string]any{}
		}
		config["organization"] = organization
	}
	log, err := os.Create(filepath.Join(a.Cloud.Emulator.Dir, "cdk.log"))
	if err != nil {
		return fmt.Errorf("keep the CDK's output: %w", err)
	}
	defer log.Close()
	say("deploying the stacks with the CDK CLI")
	var template errgroup.Group // printed meanwhile
	if len(further) > 0 {
		template.Go(func() (err error) {
			a.SpokeTemplate, err = a.Cloud.spokeTemplate(ctx, dir, config)
			return err
		})
	}
	a.Deployment, err = a.Cloud.Deploy(ctx, dir, config, log)
	if err := errors.Join(err, template.Wait()); err != nil {
		return err
	}
	if len(further) > 0 {
		say("deploying the template of guarded accounts into " + strings.Join(further, " and "))
		if err := a.guard(ctx); err != nil {
			return err
		}
	}
	say("waiting for the first sweep, which the deployment started")
	err = a.firstSweep(ctx)
	if err == nil && len(further) > 0 {
		say("making VPCs in the guarded accounts, whose events lead to a first check there")
		err = a.firstEvents(ctx)
	}
	if err == nil && len(further) > 0 {
		say("sweeping the guarded accounts, so that relight remembers what is there")
		for _, who := range a.Spokes {
			// A first sweep is one soon after the stack was made; relight creates no rule then.
			err = errors.Join(err, a.sweep(ctx, who.Account), a.Cloud.Emulator.Age(ctx, who.Account, time.Hour))
		}
	}
	if err != nil {
		return fmt.Errorf("%w\nthe functions logged errors:\n%s", err, strings.Join(a.Complaints(ctx), "\n"))
	}
	return nil
}

// sweepTimeout limits the wait for the first sweep. The sweep takes about 8 s:
// 19 alarms at 2.4 calls a second.
const sweepTimeout = 90 * time.Second

// firstSweep waits until every control has a filter and an alarm, every VPC has
// a flow log, and the sweep has finished.
func (a *Arena) firstSweep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	var missing []string
	for {
		now, err := a.Missing(ctx)
		if err != nil {
			return fmt.Errorf("%w; the first sweep has not made yet: %s", err, strings.Join(missing, "; "))
		}
		if missing = now; len(missing) == 0 {
			return a.Settle(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("after %s the first sweep has not made: %s", sweepTimeout, strings.Join(missing, "; "))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// Missing returns the protections that the account lacks according to its API:
// a filter and an alarm for every control, a flow log on every VPC, and the
// sweep's memory of the trail.
func (a *Arena) Missing(ctx context.Context) ([]string, error) {
	snap, err := a.Customer.Snapshot(ctx, a.Cloud.Root())
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, c := range catalog.Controls() {
		for _, sort := range []string{"filter ", "alarm "} {
			if key := sort + a.Prefix + "-" + c.ID; snap[key] == "" {
				missing = append(missing, key)
			}
		}
	}
	for k, v := range snap {
		if strings.HasPrefix(k, "flow-logs ") && v == noFlowLogs {
			missing = append(missing, k)
		}
	}
	_, err = a.Cloud.Root().In(Region).SSM.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/" + a.Prefix + "/memory/trail")})
	switch none := new(ssmtypes.ParameterNotFound); {
	case errors.As(err, &none):
		missing = append(missing, "memory of the trail")
	case err != nil:
		return nil, err
	}
	return missing, nil
}

// A Run is what a demo recorded.
type Run struct {
	Attacks []Heal `json:"attacks"`
	Away    []Away `json:"away,omitempty"`
}

// An Away is how long a protection stays away after it was deleted, alone: the median of
// some rounds.
type Away struct {
	Attack   string `json:"attack"`
	Restored string `json:"restored"`
	Rounds   int    `json:"rounds"`
	Millis   int64  `json:"ms"`
}

// calm is after which many repairs are no storm any more, in whose message each caller has only one
// of his calls: docs/adr/0033-storms.md. What relight only reports is to have a message of its own.
const calm = 10 * time.Second

// Demo carries out the attacks and writes tables of the results, which end
// with the lines "reported N/N" and "healed N/N". The plain AWS CLI checks the
// accounts before and after. Then Demo measures for some rounds how long single
// protections stay away. It calls say at the start of each attack. Its error
// lists the attacks that were not healed or reported, and what is broken.
func (a *Arena) Demo(ctx context.Context, attacks []Attack, rounds int, w io.Writer, say func(step string)) (run Run, err error) {
	if err := a.verified(ctx, w, "before"); err != nil {
		return run, err
	}
	table, part := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), ""
	var healed, healable, reported, reportable int
	for i, at := range attacks {
		if now := at.part(); now != part {
			if err := table.Flush(); err != nil {
				return run, err
			}
			fmt.Fprintf(w, "\n%s\n\n", now)
			fmt.Fprintln(table, "ATTACK\tCLIENT\tACCOUNT\tREGION\tATT&CK\tWHAT RELIGHT DID\tMS\t")
			part = now
		}
		if at.Reported && i > 0 && !attacks[i-1].Reported {
			select {
			case <-time.After(calm):
			case <-ctx.Done():
				return run, ctx.Err()
			}
		}
		say(fmt.Sprintf("attack %d of %d: %s in %s", i+1, len(attacks), at.Name, at.where()))
		heal, err := a.Attack(ctx, at)
		if err == nil && heal.Why == OnlySweep {
			heal, err = a.Attack(ctx, at)
		}
		if err != nil {
			return run, err
		}
		run.Attacks = append(run.Attacks, heal)
		restored, ms, swept := "restored: "+strings.Join(heal.Restored, ", "), fmt.Sprint(heal.Millis), ""
		if at.Swept {
			swept = "the next sweep "
		}
		switch {
		case at.Reported && heal.Reported:
			reportable, reported, restored = reportable+1, reported+1, swept+"reported: "+at.report()
		case at.Reported:
			reportable, restored, ms = reportable+1, "NOT REPORTED: "+heal.Why, "-"
		case heal.Healed:
			healable, healed, restored = healable+1, healed+1, swept+restored
		default:
			healable, restored, ms = healable+1, "NOT HEALED: "+heal.Why, "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", heal.Attack, heal.Client, cmp.Or(heal.Account, Account), heal.Region, cmp.Or(heal.Technique, "-"), restored, ms)
	}
	if err := table.Flush(); err != nil {
		return run, err
	}
	fmt.Fprintln(w)
	verified := a.verified(ctx, w, "after")
	if rounds > 0 && verified == nil {
		say("deleting single protections, one at a time")
		if run.Away, err = a.away(ctx, rounds, w); err != nil {
			return run, err
		}
	}
	if _, err := fmt.Fprintf(w, "reported %d/%d\nhealed %d/%d\n", reported, reportable, healed, healable); err != nil {
		return run, err
	}
	if verified != nil {
		return run, verified
	}
	if healed < healable || reported < reportable {
		return run, fmt.Errorf("%d of %d attacks were not healed, %d of %d not reported", healable-healed, healable, reportable-reported, reportable)
	}
	return run, nil
}

// part returns the title of the table that has the attack.
func (at Attack) part() string {
	switch {
	case at.Cut:
		return "Cut wires of the guarded accounts, " + strings.Join(guarded(), " and ")
	case at.Account != "":
		return "What relight protects in the guarded accounts, " + strings.Join(guarded(), " and ")
	}
	return "The hub, " + Account
}

// where returns the region of the attack, and its account if that is a guarded one.
func (at Attack) where() string {
	if at.Account == "" {
		return at.Region
	}
	return at.Region + " of " + at.Account
}

// away measures how long single protections stay away, and writes the medians.
func (a *Arena) away(ctx context.Context, rounds int, w io.Writer) ([]Away, error) {
	measured, err := Latencies(ctx, rounds, a)
	if err != nil {
		return nil, err
	}
	var all []Away
	for _, l := range measured[0] {
		one := Away{Attack: l.Attack, Restored: l.Restored, Rounds: rounds, Millis: l.Median(Round.Took).Milliseconds()}
		if _, err := fmt.Fprintf(w, "%s: %s after %d ms, the median of %d\n", one.Attack, one.Restored, one.Millis, one.Rounds); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// verified checks the accounts with the AWS CLI and writes the result.
func (a *Arena) verified(ctx context.Context, w io.Writer, when string) error {
	broken, err := a.Verify(ctx)
	if err != nil {
		return err
	}
	if len(broken) > 0 {
		return fmt.Errorf("%s the attacks, the AWS CLI finds these broken links: %s", when, strings.Join(broken, "; "))
	}
	too := ""
	if len(a.Spokes) > 0 {
		too = fmt.Sprintf(", those of %d guarded accounts too", len(a.Spokes))
	}
	_, err = fmt.Fprintf(w, "%s the attacks, the AWS CLI finds %d controls and every VPC healthy%s\n", when, len(catalog.Controls()), too)
	return err
}

// Checkout returns the root of the checkout that contains the working
// directory.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the checkout: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cdk.json")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the lab deploys a checkout of relight: run it inside one")
		}
	}
}
