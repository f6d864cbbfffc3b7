package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/spf13/cobra"

	"github.com/relight-aws/relight/internal/awsio/insights"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// statusSchema is the version of what "relight status --output json" prints.
const statusSchema = 1

// These limit what a status reads and shows.
const (
	lastEventAge = 7 * 24 * time.Hour // how far back the last event may be
	mostOpen     = 10                 // lines about what needs action
	lateMessage  = 15 * time.Minute   // a message of that age is not handled as it should be
)

// A status is what "relight status" says of a deployment.
type status struct {
	SchemaVersion int               `json:"schema_version"`
	Account       string            `json:"account"`
	Region        string            `json:"region"`
	Stack         string            `json:"stack"`
	Version       string            `json:"version,omitempty"` // of the functions; "" if no sweep has finished
	Time          time.Time         `json:"time"`
	Healthy       bool              `json:"healthy"`
	Problems      []string          `json:"problems"` // what needs action
	Sweep         *sweepStatus      `json:"last_sweep"`
	Open          []string          `json:"open"`       // the first findings and failures of the last sweep
	Event         *entry            `json:"last_event"` // the last one behind a run
	Queues        []queueStatus     `json:"queues"`
	DeadLetters   []queueStatus     `json:"dead_letters"`
	Alarms        []alarmStatus     `json:"alarms"` // relight's own that are in ALARM or do not exist
	Subscribers   []subscriberState `json:"subscribers"`
	Accounts      []accountStatus   `json:"accounts,omitempty"` // of the organisation, in its hub
	Pause         *report.Pause     `json:"pause"`              // in force now; null for none
	Configuration map[string]string `json:"configuration"`      // the deployed one, beyond the defaults
	Differences   int               `json:"differences"`        // between the deployed configuration and the local one
	compared      string            // the same in words
	paused        string            // the pause in words
}

type sweepStatus struct {
	Began      time.Time `json:"began"`
	Finished   time.Time `json:"finished"`
	Protected  int       `json:"protected"` // protections that needed nothing
	Restored   int       `json:"restored"`
	Planned    int       `json:"planned"` // not restored, because the mode is observe
	Unrestored int       `json:"unrestored"`
	Findings   int       `json:"findings"`
}

type queueStatus struct {
	Name     string `json:"name"`
	Messages int    `json:"messages"`
	Oldest   int    `json:"oldest_seconds"` // the age of the oldest message within the last minutes; 0 if CloudWatch has none
}

type alarmStatus struct {
	Name   string     `json:"name"`
	State  string     `json:"state"` // "ALARM" or "missing"
	Since  *time.Time `json:"since,omitempty"`
	Reason string     `json:"reason,omitempty"`
}

type subscriberState struct {
	Topic     string `json:"topic"`
	Protocol  string `json:"protocol"`
	Endpoint  string `json:"endpoint"`
	Confirmed bool   `json:"confirmed"`
}

func newStatus(f *flags) *cobra.Command {
	var details bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say whether everything is lit, and whether relight itself works",
		Long: "Say whether everything was healthy in the last sweep, when relight last handled an event, and whether\n" +
			"its queues, alarms and subscribers are healthy. It reads no protection itself: that is what plan does.\n" +
			"In the hub of an organisation, it says so of each account, from what the last sweeps came to.\n\n" +
			"Exit code 0: healthy; 2: something needs action; 1: an error, or relight is not deployed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			acct, err := connect(cmd.Context(), f)
			if err != nil {
				return err
			}
			if !acct.deployed() {
				return acct.notDeployed()
			}
			bar := newProgress(cmd.ErrOrStderr(), "reading the status")
			bar.spin()
			s, err := acct.status(cmd.Context(), time.Now().UTC().Truncate(time.Second))
			bar.done()
			if err != nil {
				return err
			}
			if f.json() {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			} else {
				err = printStatus(cmd.OutOrStdout(), s, details)
			}
			if err == nil && !s.Healthy {
				err = errToDo
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&details, "details", false, "in the hub of an organisation: list the healthy accounts, too, however many there are")
	return cmd
}

// status reads the status of the deployment. The number of calls depends on the number of
// queues and topics, not on the size of the account.
func (a *account) status(ctx context.Context, now time.Time) (status, error) {
	local := a.config
	deployed, err := a.deployedConfig(ctx)
	if err != nil {
		return status{}, err
	}
	a.config = deployed
	s := status{
		SchemaVersion: statusSchema, Account: a.deployment.Account, Region: a.aws.Region, Stack: deployed.Baseline().StackName(), Time: now,
		Problems: []string{}, Open: []string{}, Queues: []queueStatus{}, DeadLetters: []queueStatus{}, Alarms: []alarmStatus{}, Subscribers: []subscriberState{},
		Configuration: deployed.Facts(),
	}
	if !a.noFile {
		s.Differences = len(deployed.Facts().Differences(local.Facts()))
		s.compared = a.compared(deployed, local)
	}
	for _, read := range []func(context.Context, *status) error{a.sweepStatus, a.eventStatus, a.queueStatus, a.alarmStatus, a.subscriberStatus, a.pauseStatus, a.accountStatus} {
		if err := read(ctx, &s); err != nil {
			return s, err
		}
	}
	s.judge(time.Duration(deployed.SweepMinutes) * time.Minute)
	return s, nil
}

// sweepStatus reads the last finished sweep of everything and what it left open.
func (a *account) sweepStatus(ctx context.Context, s *status) error {
	client := insights.Client{Logs: cloudwatchlogs.NewFromConfig(a.aws)}
	interval := time.Duration(a.config.SweepMinutes) * time.Minute
	groups, err := a.logsOf(ctx, client, catalog.Backfill)
	if err != nil || len(groups) == 0 {
		return err
	}
	rows, _, err := client.Query(ctx, groups, s.Time.Add(-max(4*interval, 24*time.Hour)), s.Time.Add(time.Second),
		`fields @timestamp, began, healthy, planned, repaired, unrestored, findings, version | filter msg = "`+report.SweepLine+`" | sort @timestamp desc | limit 1`)
	if err != nil || len(rows) == 0 {
		return err
	}
	number := func(field string) int {
		n, _ := strconv.Atoi(rows[0][field]) // the functions write it
		return n
	}
	last := sweepStatus{Finished: logTime(rows[0]["@timestamp"]), Protected: number("healthy"), Restored: number("repaired"), Unrestored: number("unrestored"), Findings: number("findings")}
	last.Planned = max(0, number("planned")-last.Restored-last.Unrestored)
	last.Began, _ = time.Parse(time.RFC3339, rows[0]["began"])
	s.Sweep, s.Version = &last, rows[0]["version"]
	if last.Unrestored+last.Findings == 0 {
		return nil
	}
	of := ""
	if a.config.Baseline().Organization.On() { // the function sweeps other accounts at the same time
		of = `| filter account = "` + s.Account + `" `
	}
	rows, _, err = client.Query(ctx, groups, last.Began, last.Finished.Add(time.Second),
		`fields @timestamp, msg, region, kind, finding, action, error `+of+`| filter msg = "`+report.FindingLine+`" or ispresent(error) | sort @timestamp asc | limit 1000`)
	for _, r := range rows {
		text := cmp.Or(r["finding"], strings.Trim(r["action"]+": "+r["error"], ": "))
		if !slices.Contains(s.Open, text) {
			s.Open = append(s.Open, text)
		}
	}
	if more := len(s.Open) - mostOpen; more > 0 {
		s.Open = append(s.Open[:mostOpen], fmt.Sprintf("and %d more: see relight plan", more))
	}
	return err
}

// eventStatus reads the last event that led to a run.
func (a *account) eventStatus(ctx context.Context, s *status) error {
	client := insights.Client{Logs: cloudwatchlogs.NewFromConfig(a.aws)}
	var of []catalog.Function
	for _, k := range a.config.Watched() {
		of = append(of, catalog.Function(k))
	}
	groups, err := a.logsOf(ctx, client, of...)
	if err != nil || len(groups) == 0 {
		return err
	}
	rows, _, err := client.Query(ctx, groups, s.Time.Add(-lastEventAge), s.Time.Add(time.Second),
		"fields "+historyFields+` | filter msg = "`+report.RunLine+`" and ispresent(event) | sort @timestamp desc | limit 1`)
	if err == nil && len(rows) > 0 {
		e := entryOf(rows[0])
		s.Event = &e
	}
	return err
}

// logsOf returns the log groups of functions.
func (a *account) logsOf(ctx context.Context, client insights.Client, of ...catalog.Function) ([]string, error) {
	groups, err := client.Groups(ctx, catalog.FunctionLogs(a.config.Baseline().Prefix+"-"))
	if err != nil {
		return nil, fmt.Errorf("look for the functions' logs (needs logs:DescribeLogGroups): %w", err)
	}
	var names []string
	for _, g := range groups {
		for _, f := range of {
			if catalog.IsFunctionLogs(g.Name, a.config.Baseline().FunctionName(f)) {
				names = append(names, g.Name)
			}
		}
	}
	return names, nil
}

// queueStatus reads how many messages wait in each of relight's queues in the home region, and
// how old the oldest of each is.
func (a *account) queueStatus(ctx context.Context, s *status) error {
	client := sqs.NewFromConfig(a.aws)
	baseline := a.config.Baseline()
	var urls []string
	pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: aws.String(baseline.Prefix + "-"), MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list the queues: %w", err)
		}
		urls = append(urls, page.QueueUrls...)
	}
	var asked []cwtypes.MetricDataQuery
	var waiting []*queueStatus
	for _, q := range baseline.Queues(a.aws.Region) {
		i := slices.IndexFunc(urls, func(u string) bool { return strings.HasSuffix(u, "/"+q.Name) })
		if i < 0 {
			s.Problems = append(s.Problems, "the queue "+q.Name+" does not exist: deploy again")
			continue
		}
		out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(urls[i]), AttributeNames: []sqstypes.QueueAttributeName{
			sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible, sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed,
		}})
		if err != nil {
			return fmt.Errorf("read the queue %s: %w", q.Name, err)
		}
		state := queueStatus{Name: q.Name}
		for _, text := range out.Attributes {
			n, _ := strconv.Atoi(text) // SQS writes it
			state.Messages += n
		}
		if q.Dead == "" { // a queue for what could not be handled
			s.DeadLetters = append(s.DeadLetters, state)
			continue
		}
		s.Queues = append(s.Queues, state)
		asked = append(asked, cwtypes.MetricDataQuery{Id: aws.String(fmt.Sprintf("q%d", len(s.Queues)-1)), MetricStat: &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateAgeOfOldestMessage"), Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: aws.String(q.Name)}}},
			Period: aws.Int32(60), Stat: aws.String("Maximum"),
		}})
	}
	for i := range s.Queues {
		waiting = append(waiting, &s.Queues[i])
	}
	if len(asked) == 0 {
		return nil
	}
	out, err := cloudwatch.NewFromConfig(a.aws).GetMetricData(ctx, &cloudwatch.GetMetricDataInput{
		MetricDataQueries: asked, StartTime: aws.Time(s.Time.Add(-10 * time.Minute)), EndTime: aws.Time(s.Time), ScanBy: cwtypes.ScanByTimestampDescending,
	})
	if err != nil {
		return fmt.Errorf("read the age of the oldest message (needs cloudwatch:GetMetricData): %w", err)
	}
	for _, r := range out.MetricDataResults {
		i, err := strconv.Atoi(strings.TrimPrefix(aws.ToString(r.Id), "q"))
		if err == nil && i < len(waiting) && len(r.Values) > 0 && waiting[i].Messages > 0 {
			waiting[i].Oldest = int(r.Values[0])
		}
	}
	return nil
}

// alarmStatus reads the alarms on relight itself.
func (a *account) alarmStatus(ctx context.Context, s *status) error {
	want := a.config.Desired(a.deployment)
	var names []string
	for _, row := range want.OwnAlarms() {
		names = append(names, want.Name(row.ID))
	}
	seen := map[string]bool{}
	for some := range slices.Chunk(names, catalog.AlarmsPerCall) {
		out, err := cloudwatch.NewFromConfig(a.aws).DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: some, MaxRecords: aws.Int32(catalog.AlarmsPerCall)})
		if err != nil {
			return fmt.Errorf("read the alarms on relight itself: %w", err)
		}
		for _, alarm := range out.MetricAlarms {
			seen[aws.ToString(alarm.AlarmName)] = true
			if alarm.StateValue == cwtypes.StateValueAlarm {
				s.Alarms = append(s.Alarms, alarmStatus{aws.ToString(alarm.AlarmName), "ALARM", alarm.StateUpdatedTimestamp, aws.ToString(alarm.StateReason)})
			}
		}
	}
	for _, name := range names {
		if !seen[name] {
			s.Alarms = append(s.Alarms, alarmStatus{Name: name, State: "missing"})
		}
	}
	return nil
}

// subscriberStatus reads the subscribers of relight's topics in the home region.
func (a *account) subscriberStatus(ctx context.Context, s *status) error {
	for _, topic := range []string{a.deployment.Topic, a.deployment.LastResort} {
		if topic == "" {
			continue
		}
		pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(a.aws), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)})
		confirmed := 0
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("list the subscribers of %s: %w", topic, err)
			}
			for _, sub := range page.Subscriptions {
				state := subscriberState{topic, aws.ToString(sub.Protocol), aws.ToString(sub.Endpoint), strings.HasPrefix(aws.ToString(sub.SubscriptionArn), "arn:")}
				s.Subscribers = append(s.Subscribers, state)
				if state.Confirmed {
					confirmed++
				}
			}
		}
		if confirmed == 0 {
			s.Problems = append(s.Problems, "no confirmed subscriber receives the messages of "+topic)
		}
	}
	return nil
}

// pauseStatus reads whether relight is paused.
func (a *account) pauseStatus(ctx context.Context, s *status) error {
	pause, found := a.cloud().Paused(ctx, a.aws.Region)
	for _, f := range found {
		s.Problems = append(s.Problems, f.String())
	}
	if pause != nil {
		s.Pause, s.paused = report.PauseOf(pause), pause.String()
	}
	return nil
}

// judge collects what needs action.
func (s *status) judge(interval time.Duration) {
	problem := func(format string, args ...any) { s.Problems = append(s.Problems, fmt.Sprintf(format, args...)) }
	switch {
	case s.Sweep == nil:
		problem("no sweep of everything has finished since its log begins: see the alarms on the sweep, or run relight backfill")
	case s.Time.Sub(s.Sweep.Finished) > 2*interval+catalog.EventAge*time.Second:
		problem("the last sweep finished %s ago, and should every %s: somebody may have cut the schedule or the function", shortAge(s.Time.Sub(s.Sweep.Finished)), shortAge(interval))
	}
	if s.Pause != nil {
		problem("relight is paused %s: relight resume ends the pause", s.paused)
	}
	if s.Sweep != nil && s.Sweep.Unrestored > 0 {
		problem("the last sweep could not restore %d", s.Sweep.Unrestored)
	}
	if s.Sweep != nil && s.Sweep.Planned > 0 {
		problem("the last sweep would have restored %d, but the mode is observe", s.Sweep.Planned)
	}
	if s.Sweep != nil && s.Sweep.Findings > 0 {
		problem("%d %s of the last sweep need action", s.Sweep.Findings, plural(s.Sweep.Findings, "finding", "findings"))
	}
	for _, q := range s.Queues {
		if age := time.Duration(q.Oldest) * time.Second; age > lateMessage {
			problem("the oldest message in %s is %s old", q.Name, shortAge(age))
		}
	}
	for _, q := range s.DeadLetters {
		if q.Messages > 0 {
			problem("%d %s in %s: the function's log says why; redrive the queue to try again", q.Messages, plural(q.Messages, "message is", "messages are"), q.Name)
		}
	}
	for _, alarm := range s.Alarms {
		if alarm.State == "missing" {
			problem("the alarm %s does not exist", alarm.Name)
		} else {
			problem("the alarm %s is in ALARM", alarm.Name)
		}
	}
	for _, sub := range s.Subscribers {
		if !sub.Confirmed {
			problem("%s %s has not confirmed its subscription to %s", sub.Protocol, sub.Endpoint, sub.Topic)
		}
	}
	s.judgeAccounts()
	s.Healthy = len(s.Problems) == 0
}

// printStatus prints a status on one screen.
func printStatus(w io.Writer, s status, details bool) error {
	p := printer{w: w}
	row := func(what, format string, args ...any) {
		p.line("%-13s %s", what, oneLine(fmt.Sprintf(format, args...)))
	}
	ago := func(t time.Time) string {
		return t.Format("2006-01-02 15:04:05 UTC") + " (" + shortAge(s.Time.Sub(t)) + " ago)"
	}
	p.line("relight %s in account %s, region %s: %s", cmp.Or(s.Version, "of unknown version"), s.Account, s.Region, map[bool]string{true: "healthy", false: "needs action"}[s.Healthy])
	if s.Sweep == nil {
		row("lit", "unknown")
	} else {
		row("lit", "%d protections healthy, %d not restored, %d %s", s.Sweep.Protected, s.Sweep.Unrestored, s.Sweep.Findings, needs(s.Sweep.Findings))
		row("last sweep", "%s, restored %d", ago(s.Sweep.Finished), s.Sweep.Restored)
	}
	if s.Event == nil {
		row("last event", "none in %s", shortAge(lastEventAge))
	} else {
		row("last event", "%s by %s: %s, %s", s.Event.Event, s.Event.who(), s.Event.Outcome, ago(s.Event.Time))
	}
	waiting, oldest := 0, 0
	for _, q := range s.Queues {
		waiting, oldest = waiting+q.Messages, max(oldest, q.Oldest)
	}
	if waiting == 0 {
		row("queues", "no message waits")
	} else {
		row("queues", "%d %s, the oldest for %s", waiting, plural(waiting, "message waits", "messages wait"), shortAge(time.Duration(oldest)*time.Second))
	}
	dead := 0
	for _, q := range s.DeadLetters {
		dead += q.Messages
	}
	row("dead letters", "%d", dead)
	row("own alarms", "%d in ALARM or missing", len(s.Alarms))
	confirmed := 0
	for _, sub := range s.Subscribers {
		if sub.Confirmed {
			confirmed++
		}
	}
	row("subscribers", "%d of %d confirmed", confirmed, len(s.Subscribers))
	row("paused", "%s", cmp.Or(s.paused, "no"))
	row("configuration", "%d %s beyond the defaults%s", len(s.Configuration), plural(len(s.Configuration), "value", "values"), s.compared)
	p.accounts(s, details)
	for _, problem := range s.Problems {
		p.line("! %s", oneLine(problem))
	}
	for _, open := range s.Open {
		p.line("  %s", oneLine(open))
	}
	return p.err
}

// logTime reads a time as Insights writes it, in UTC.
func logTime(text string) time.Time {
	at, _ := time.Parse("2006-01-02 15:04:05.000", text) // always there
	return at
}
