package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/relight-aws/relight/internal/awsio/insights"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/report"
)

// historySchema is the version of what "relight history --output json" prints.
const historySchema = 1

// A history is what the functions' logs say that relight did.
type history struct {
	SchemaVersion int       `json:"schema_version"`
	Account       string    `json:"account"`
	Region        string    `json:"region"` // where the functions are
	From          time.Time `json:"from"`
	To            time.Time `json:"to"`
	Notes         []string  `json:"notes"` // why entries may be missing
	Entries       []entry   `json:"entries"`
}

// An entry is one thing that relight did, planned or could not do, or a call that it
// reported.
type entry struct {
	Time      time.Time  `json:"time"`
	Last      *time.Time `json:"last_time,omitempty"` // of the latest of several equal ones
	Times     int        `json:"times"`
	Outcome   string     `json:"outcome"`
	Severity  string     `json:"severity,omitempty"`
	Account   string     `json:"account"`
	Region    string     `json:"region"`
	Kind      string     `json:"kind"`
	Verb      string     `json:"verb,omitempty"`
	Target    string     `json:"target,omitempty"`
	Action    string     `json:"action,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Actor     string     `json:"actor,omitempty"` // "" if no event announced it
	SourceIP  string     `json:"source_ip,omitempty"`
	Event     string     `json:"event,omitempty"`
	EventID   string     `json:"event_id,omitempty"`
	EventTime *time.Time `json:"event_time,omitempty"`
	Lag       *int64     `json:"lag_ms,omitempty"` // from the call to the end of the run
	Advice    string     `json:"advice,omitempty"`
	Error     string     `json:"error,omitempty"`
	Function  string     `json:"function"`
	Version   string     `json:"version,omitempty"`
}

// noticed is the outcome of a call that relight reported, but does not undo.
const noticed = "noticed"

// historyFields are the fields of a log line that an entry needs.
const historyFields = "@timestamp, @log, msg, scope, outcome, severity, account, region, kind, verb, target, action, reason, actor, source_ip, event, event_id, event_time, lag_ms, advice, error, version"

// historyQuery selects the lines of a history. Nothing in it is a caller's: a query
// language has no parameters, so what the caller asks for is compared here.
const historyQuery = "fields " + historyFields +
	` | filter msg in ["` + report.ActionLine + `", "` + report.NoticeLine + `"] or (msg = "` + report.RunLine + `" and ispresent(error)) | sort @timestamp asc | limit 10000`

// sameRun is how far apart the lines of two functions are that restored one thing
// together: the sweep, say, and the function that it asks.
const sameRun = 30 * time.Second

func newHistory(f *flags) *cobra.Command {
	var since, actor string
	var kinds []string
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List what relight restored, when, because of whom and how fast",
		Long: "List what relight restored, created, planned or could not restore, and the calls that it\n" +
			"reported, from the logs of its functions. It reads them with CloudWatch Logs Insights. It\n" +
			"needs no deployment: the logs outlive one.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := parseAge(since)
			if err != nil {
				return fmt.Errorf("--since: %w", err)
			}
			for _, k := range kinds {
				if !slices.Contains(catalog.Kinds(), catalog.Kind(k)) {
					return fmt.Errorf("--kind: there is no kind %q: use %v", k, catalog.Kinds())
				}
			}
			acct, err := identify(cmd.Context(), f)
			if err != nil {
				return err
			}
			acct.announceLocal(f, cmd.ErrOrStderr())
			bar := newProgress(cmd.ErrOrStderr(), "reading the logs")
			bar.spin()
			h, err := acct.history(cmd.Context(), time.Now().UTC().Truncate(time.Second).Add(time.Second), age)
			bar.done()
			if err != nil {
				return err
			}
			h.Entries = slices.DeleteFunc(h.Entries, func(e entry) bool {
				return len(kinds) > 0 && !slices.Contains(kinds, e.Kind) || !strings.Contains(strings.ToLower(e.Actor), strings.ToLower(actor))
			})
			if f.json() {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(h)
			}
			return printHistory(cmd.OutOrStdout(), h, width(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringVar(&since, "since", "7d", "how far back: 7d, 12h, 90m")
	cmd.Flags().StringVar(&actor, "actor", "", "only what callers did whose name contains this")
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "only these kinds")
	return cmd
}

// parseAge reads a positive duration, also in days and weeks.
func parseAge(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(s, unit); ok {
			var count int
			if count, err = strconv.Atoi(n); err == nil && count > 100*366 {
				err = errors.New("too long")
			}
			d = time.Duration(count) * length
		}
	}
	if err != nil || d < time.Second {
		return 0, fmt.Errorf("%q is no age: use 7d, 12h or 90m", s)
	}
	return d, nil
}

// history reads the history of some time from the log groups of relight's functions.
func (a *account) history(ctx context.Context, now time.Time, age time.Duration) (history, error) {
	from := now.Add(-age)
	h := history{SchemaVersion: historySchema, Account: a.deployment.Account, Region: a.aws.Region, From: from, To: now, Notes: []string{}, Entries: []entry{}}
	client := insights.Client{Logs: cloudwatchlogs.NewFromConfig(a.aws)}
	groups, notes, err := a.functionLogs(ctx, client, from)
	if err != nil {
		return h, err
	}
	h.Notes = append(h.Notes, notes...)
	rows, crowded, err := client.Query(ctx, groups, from, now, historyQuery)
	if err != nil {
		return h, err
	}
	for _, at := range crowded {
		h.Notes = append(h.Notes, "more than "+strconv.Itoa(insights.Most)+" lines are of "+at.UTC().Format(time.RFC3339)+": not all are shown")
	}
	for _, r := range rows {
		h.Entries = append(h.Entries, entryOf(r))
	}
	slices.SortStableFunc(h.Entries, func(a, b entry) int { return a.Time.Compare(b.Time) })
	h.Entries = collapse(h.Entries)
	return h, nil
}

// functionLogs returns the log groups of relight's functions, and why what they have of
// the time since from may be incomplete.
func (a *account) functionLogs(ctx context.Context, client insights.Client, from time.Time) (names, notes []string, err error) {
	baseline := a.config.Baseline()
	groups, err := client.Groups(ctx, catalog.FunctionLogs(baseline.Prefix+"-"))
	if err != nil {
		return nil, nil, fmt.Errorf("look for the functions' logs (needs logs:DescribeLogGroups): %w", err)
	}
	days := 0 // the shortest retention
	for _, f := range catalog.Functions() {
		logs := catalog.FunctionLogs(baseline.FunctionName(f))
		found := false
		for _, g := range groups {
			if catalog.IsFunctionLogs(g.Name, baseline.FunctionName(f)) {
				names, found = append(names, g.Name), true
				if g.Days > 0 && (days == 0 || g.Days < days) {
					days = g.Days
				}
			}
		}
		if !found && a.config.Mode(catalog.Kind(f)) != catalog.Off {
			notes = append(notes, "there is no log group "+logs+"-*: what its function did is not shown")
		}
	}
	if days > 0 && from.Before(time.Now().AddDate(0, 0, -days)) {
		notes = append(notes, fmt.Sprintf("the functions' logs are kept for %d days: what is older is gone", days))
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("relight has no logs: there is no log group of a function named %s-* in %s; run make deploy first, or name the configuration with --config", baseline.Prefix, a.aws.Region)
	}
	return names, notes, nil
}

// entryOf reads one line of a log.
func entryOf(r insights.Row) entry {
	e := entry{
		Times: 1, Outcome: r["outcome"], Severity: r["severity"], Account: r["account"], Region: r["region"], Kind: r["kind"],
		Verb: r["verb"], Target: r["target"], Action: r["action"], Reason: r["reason"], Actor: r["actor"], SourceIP: r["source_ip"],
		Event: r["event"], EventID: r["event_id"], Advice: r["advice"], Error: r["error"], Version: r["version"],
		Function: functionOf(r["@log"]),
	}
	e.Time = logTime(r["@timestamp"])
	if at, err := time.Parse(time.RFC3339, r["event_time"]); err == nil {
		e.EventTime = &at
	}
	if lag, err := strconv.ParseInt(r["lag_ms"], 10, 64); err == nil {
		e.Lag = &lag
	}
	switch r["msg"] {
	case report.NoticeLine:
		e.Outcome = noticed
	case report.RunLine:
		e.Action = "check " + cmp.Or(r["scope"], r["kind"])
	}
	return e
}

// functionOf returns the name of the function whose log group Insights names as
// "account:/aws/lambda/name-0123abcd".
func functionOf(log string) string {
	name := log[strings.LastIndex(log, "/")+1:]
	if i := strings.LastIndex(name, "-"); i > 0 && catalog.IsFunctionLogs(catalog.FunctionLogs(name), name[:i]) {
		name = name[:i]
	}
	return name
}

// collapse leaves out what a second function says of what the first one did, and makes
// one entry of what was planned, failed or remained again and again.
func collapse(entries []entry) []entry {
	var out []entry
	latest := map[string]int{} // index in out
	for _, e := range entries {
		key := strings.Join([]string{e.Account, e.Region, e.Kind, e.Outcome, e.Action, e.Target, e.Error}, "\x00")
		i, seen := latest[key]
		if seen && e.Action != "" {
			before := &out[i]
			switch {
			case e.Outcome != report.Restored && e.Outcome != report.Created && e.EventID == before.EventID:
				before.Times++
				before.Last = &e.Time
				continue
			case e.Function != before.Function && e.Time.Sub(before.Time) < sameRun && before.EventID != "" && e.EventID == "":
				continue
			case e.Function != before.Function && e.Time.Sub(before.Time) < sameRun && before.EventID == "" && e.EventTime != nil && !e.EventTime.After(before.Time):
				e.Time = before.Time // the other one knows who caused it
				*before = e
				continue
			}
		}
		latest[key] = len(out)
		out = append(out, e)
	}
	return append([]entry{}, out...)
}

// These are the widths of a history's columns, without that of what was done.
const (
	whenWidth    = 14
	outcomeWidth = 10
	lagWidth     = 6
	whoWidth     = 24
	leastWidth   = 80
)

// printHistory prints a history as a table of that width, with the latest entry last.
func printHistory(w io.Writer, h history, width int) error {
	p := printer{w: w}
	what := max(width, leastWidth) - whenWidth - outcomeWidth - lagWidth - whoWidth - 4
	row := func(when, outcome, lag, who, did string) {
		p.line("%s", strings.TrimRight(fmt.Sprintf("%-*s %-*s %*s %-*s %s", whenWidth, when, outcomeWidth, outcome, lagWidth, lag, whoWidth, short(who, whoWidth), short(did, what)), " "))
	}
	if len(h.Entries) > 0 {
		row("WHEN (UTC)", "OUTCOME", "AFTER", "WHO", "WHAT")
	}
	for i := 0; i < len(h.Entries); i++ {
		e, more := h.Entries[i], 0
		for i+1 < len(h.Entries) && e.alike(h.Entries[i+1]) {
			i, more = i+1, more+1
		}
		lag := ""
		if e.Lag != nil {
			lag = shortAge(time.Duration(*e.Lag) * time.Millisecond)
		}
		row(e.Time.Format("01-02 15:04:05"), e.Outcome, lag, e.who(), e.what(h.Region, more))
	}
	p.line("%d %s since %s", len(h.Entries), plural(len(h.Entries), "entry", "entries"), h.From.Format("2006-01-02 15:04:05 UTC"))
	for _, n := range h.Notes {
		p.line("! %s", n)
	}
	return p.err
}

// who returns who caused an entry, in few characters.
func (e entry) who() string {
	if e.Actor == "" {
		if e.Event == "" {
			return "- (found by a sweep)"
		}
		return "unknown"
	}
	first, rest, _ := strings.Cut(oneLine(e.Actor), ", ")
	if parts := strings.SplitN(first, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		first = parts[5]
	}
	first = strings.TrimPrefix(first, "assumed-role/")
	if rest != "" {
		first += ", " + rest
	}
	return first
}

// alike reports whether one run did the same to another target, with the same result.
func (e entry) alike(o entry) bool {
	return e.Verb != "" && e.Verb == o.Verb && e.Function == o.Function && e.EventID == o.EventID && e.Kind == o.Kind && e.Region == o.Region && e.Outcome == o.Outcome &&
		e.Times == o.Times && (e.Error == "") == (o.Error == "") && o.Time.Sub(e.Time) < time.Second
}

// what returns what an entry is about, with its region if that is not the home region,
// and how many more it stands for.
func (e entry) what(home string, more int) string {
	text := strings.TrimSuffix(e.Action, " ("+e.Reason+")")
	if more > 0 {
		text = fmt.Sprintf("%s %s and %d more", e.Verb, e.Target, more)
	}
	if e.Outcome == noticed {
		text = strings.TrimSpace(e.Event + " " + e.Target)
	}
	if e.Region != home {
		text = e.Region + ": " + text
	}
	if e.Times > 1 {
		text = fmt.Sprintf("%d times: %s", e.Times, text)
	}
	if e.Error != "" {
		text += ": " + e.Error
	}
	return oneLine(text)
}

// short cuts the middle out of a text that is longer than n characters.
func short(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	head := (n - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(n-1-head):])
}

// shortAge returns a duration in at most six characters.
func shortAge(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0fh", d.Hours())
	}
	return fmt.Sprintf("%.0fd", d.Hours()/24)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// width returns how many characters a line has: those of the terminal, or else of
// what most people read well.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 120
}
