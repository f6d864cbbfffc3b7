package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/remedy"
	"github.com/relight-aws/relight/internal/report"
)

// pauseSchema is the version of what pause and resume print as JSON.
const pauseSchema = 1

// A pauseView is what pause and resume print as JSON.
type pauseView struct {
	SchemaVersion int           `json:"schema_version"`
	Parameter     string        `json:"parameter"`
	Pause         *report.Pause `json:"pause"`           // in force now; null for none
	Ended         *report.Pause `json:"ended,omitempty"` // what resume ended
}

func newPause(f *flags) *cobra.Command {
	var scope sweepFlags
	var length, reason string
	cmd := &cobra.Command{
		Use:   "pause --for 2h --reason TEXT",
		Short: "Keep relight from restoring for a while, up to 12 hours",
		Long: "Keep relight from restoring for a while: it still checks, reports and sends messages. The\n" +
			"pause ends by itself, and a sweep then restores what changed meanwhile. relight resume\n" +
			"ends it earlier. Pauses may not add up to more than 12 hours in 24. The kinds topics and\n" +
			"guard, and the alarms on relight itself, cannot be paused.\n\n" +
			"Only those may pause whom pause.by in the deployed configuration names. The command writes\n" +
			"one parameter of Systems Manager, and relight notifies people of the pause.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := pauseText(time.Now(), length, reason, scope)
			if err != nil {
				return err
			}
			p, err := connectPauser(cmd, f)
			if err != nil {
				return err
			}
			before, err := p.cloud.PauseVersions(cmd.Context(), p.acct.aws.Region)
			if err != nil {
				return fmt.Errorf("read %s: %w", p.parameter(), err)
			}
			if _, refused := remedy.PauseOf(p.cloud.Want, next(before, text, p.acct.caller), time.Now()); len(refused) > 0 {
				return errors.New("not paused: " + refused[0].Problem)
			}
			now, err := p.write(cmd.Context(), text)
			if err != nil {
				return err
			}
			if now == nil {
				return fmt.Errorf("%s is written, but relight is not paused: relight plan says why", p.parameter())
			}
			return p.print(cmd.OutOrStdout(), f, pauseView{Pause: report.PauseOf(now)}, fmt.Sprintf(
				"paused %s\nrelight checks and reports, and restores nothing of this until then. Functions that are at work finish first.\nrelight resume ends the pause now.\n", now))
		},
	}
	cmd.Flags().StringVar(&length, "for", "", "how long: 2h, 90m, 1h30m; up to 12h")
	cmd.Flags().StringVar(&reason, "reason", "", "why; every message says it")
	cmd.Flags().StringSliceVar(&scope.kinds, "kinds", nil, fmt.Sprintf("only these kinds (default: all of them): %v", catalog.Pausable()))
	cmd.Flags().StringSliceVar(&scope.regions, "regions", nil, "only these regions (default: every region)")
	return cmd
}

func newResume(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: "End a pause",
		Long: "End a pause. A sweep restores what changed meanwhile: it starts with the event of this\n" +
			"call. Only those may end a pause whom pause.by in the deployed configuration names.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := connectPauser(cmd, f)
			if err != nil {
				return err
			}
			before, err := p.cloud.PauseVersions(cmd.Context(), p.acct.aws.Region)
			if err != nil {
				return fmt.Errorf("read %s: %w", p.parameter(), err)
			}
			was, refused := remedy.PauseOf(p.cloud.Want, before, time.Now())
			if was == nil && len(refused) == 0 {
				return p.print(cmd.OutOrStdout(), f, pauseView{}, "relight is not paused\n")
			}
			if _, err := p.write(cmd.Context(), remedy.Resume()); err != nil {
				return err
			}
			text := "resumed: relight was not paused, and what " + p.parameter() + " said is replaced\n"
			if was != nil {
				text = fmt.Sprintf("resumed: relight was paused %s\nA sweep restores what changed meanwhile. It starts with the event of this call, at the latest in %d minutes; relight backfill starts one now.\n",
					was, p.acct.config.SweepMinutes)
			}
			return p.print(cmd.OutOrStdout(), f, pauseView{Ended: report.PauseOf(was)}, text)
		},
	}
}

// pauseText returns what the parameter will have, or every problem of the flags.
func pauseText(now time.Time, length, reason string, scope sweepFlags) (remedy.PauseText, error) {
	var kinds []catalog.Kind
	for _, k := range scope.kinds {
		kinds = append(kinds, catalog.Kind(k))
	}
	var errs []error
	d, err := pauseLength(length)
	switch {
	case length == "":
		errs = append(errs, errors.New("--for is missing: say for how long, such as --for 2h"))
	case err != nil:
		errs = append(errs, err)
	}
	if strings.TrimSpace(reason) == "" {
		errs = append(errs, errors.New("--reason is missing: say why, because every message says it"))
		reason = "none"
	}
	text := remedy.NewPause(now.Add(d), reason, kinds, scope.regions)
	return text, errors.Join(append(errs, text.Validate())...)
}

var lengthShape = regexp.MustCompile(`^(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?$`)

// pauseLength reads a length such as 2h, 90m or 1h30m.
func pauseLength(text string) (time.Duration, error) {
	var total time.Duration
	if parts := lengthShape.FindStringSubmatch(text); parts != nil {
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
			n, _ := strconv.Atoi(parts[i+1]) // digits, or nothing
			total += time.Duration(n) * unit
		}
	}
	switch {
	case total <= 0:
		return 0, fmt.Errorf("--for %q is not a length of time: use one such as 2h, 90m or 1h30m", text)
	case total > remedy.LongestPause:
		return 0, fmt.Errorf("--for %s: relight can be paused for up to 12h", text)
	}
	return total, nil
}

// next returns the versions of the parameter as they are after a caller has written one more.
func next(versions []remedy.PauseVersion, text remedy.PauseText, caller string) []remedy.PauseVersion {
	last := int64(0)
	for _, v := range versions {
		last = max(last, v.Version)
	}
	return append(versions, remedy.PauseVersion{Version: last + 1, Text: text.Encode(), By: caller, At: time.Now()})
}

// A pauser writes the parameter that pauses relight, as a caller who may.
type pauser struct {
	acct  *account
	cloud *awsio.Cloud
}

// connectPauser connects, and refuses a caller whom the configuration does not let pause.
func connectPauser(cmd *cobra.Command, f *flags) (*pauser, error) {
	acct, err := connect(cmd.Context(), f)
	if err != nil {
		return nil, err
	}
	if !acct.deployed() {
		return nil, acct.notDeployed()
	}
	if err := acct.useDeployed(cmd.Context(), f, cmd.ErrOrStderr()); err != nil {
		return nil, err
	}
	p := &pauser{acct, acct.cloud()}
	if !p.cloud.Want.MayPause(acct.deployment.Account, acct.caller) {
		return nil, fmt.Errorf("%s may not pause relight: pause.by in the deployed configuration does not name it. To allow it, add %s to \"pause\": {\"by\": […]} under context.relight, with the role's path if it has one, and deploy",
			acct.caller, strconv.Quote(roleOfCaller(acct.caller)))
	}
	return p, nil
}

// cloud returns the edge to the account.
func (a *account) cloud() *awsio.Cloud {
	return &awsio.Cloud{Config: a.aws, Want: a.config.Desired(a.deployment), Pace: &awsio.Pace{}, Now: time.Now}
}

// roleOfCaller returns the ARN of the role of a session, and of any other caller its own.
func roleOfCaller(caller string) string {
	parts := strings.Split(caller, ":")
	if len(parts) != 6 || parts[2] != "sts" || !strings.HasPrefix(parts[5], "assumed-role/") {
		return caller
	}
	return strings.Join([]string{parts[0], parts[1], "iam", "", parts[4], "role/" + strings.Split(parts[5], "/")[1]}, ":")
}

func (p *pauser) parameter() string { return p.cloud.Want.PauseParameter() }

// write writes the parameter, and returns the pause that is in force then.
func (p *pauser) write(ctx context.Context, text remedy.PauseText) (*remedy.Pause, error) {
	_, err := ssm.NewFromConfig(p.acct.aws).PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(p.parameter()), Value: aws.String(text.Encode()), Type: types.ParameterTypeString, Overwrite: aws.Bool(true),
		Description: aws.String("Whether relight is paused: docs/adr/0029-pause.md"),
	})
	if err != nil {
		return nil, fmt.Errorf("write %s (needs ssm:PutParameter): %w", p.parameter(), err)
	}
	now, _ := p.cloud.Paused(ctx, p.acct.aws.Region)
	return now, nil
}

// print prints the result, as JSON or as text.
func (p *pauser) print(w io.Writer, f *flags, v pauseView, text string) error {
	v.SchemaVersion, v.Parameter = pauseSchema, p.parameter()
	if f.json() {
		return json.NewEncoder(w).Encode(v)
	}
	_, err := io.WriteString(w, text)
	return err
}
