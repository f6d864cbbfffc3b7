// Package insights asks CloudWatch Logs Insights. Only the command line links it: no
// function reads logs.
package insights

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Most is the largest number of results that one query is asked for. Source: CloudWatch
// Logs API Reference, StartQuery, limit.
const Most = 10_000

// These limit how long a query may take, and how often a start is tried again if too
// many queries run in the account.
const (
	firstPause = 200 * time.Millisecond
	longPause  = 2 * time.Second
	busyTries  = 5
)

// A Row has the fields of one result by their names. A field that the log event does
// not have is absent.
type Row map[string]string

// A Group is a log group.
type Group struct {
	Name    string
	Days    int       // retention; 0 for ever
	Created time.Time // zero if it is not known
}

// A Client queries the log groups of one region.
type Client struct {
	Logs  *cloudwatchlogs.Client
	Pause time.Duration // before the first look at a query's status; 0 for the usual one
}

// Groups returns the log groups whose names begin with a prefix.
func (c Client) Groups(ctx context.Context, prefix string) ([]Group, error) {
	var groups []Group
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(c.Logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(prefix)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the log groups %s*: %w", prefix, err)
		}
		for _, g := range page.LogGroups {
			group := Group{Name: aws.ToString(g.LogGroupName), Days: int(aws.ToInt32(g.RetentionInDays))}
			if g.CreationTime != nil {
				group.Created = time.UnixMilli(*g.CreationTime).UTC()
			}
			groups = append(groups, group)
		}
	}
	return groups, nil
}

// Query returns what a query finds in log groups between two times, which have whole
// seconds. Where a query would find more than Most results, Query halves the time. It
// also returns the seconds that have more results than that, of which it returns only a part.
//
// AWS says that the end of a query's time belongs to it, and does not say whether the
// whole second does. So the halves share a second, and what both find counts once.
func (c Client) Query(ctx context.Context, groups []string, from, to time.Time, query string) (rows []Row, crowded []time.Time, err error) {
	seen := map[string]bool{}
	var within func(from, to int64) error
	within = func(from, to int64) error {
		found, err := c.once(ctx, groups, from, to, query)
		if err != nil {
			return err
		}
		if len(found) >= Most && to-from > 1 {
			middle := from + (to-from)/2
			if err := within(from, middle); err != nil {
				return err
			}
			return within(middle, to)
		}
		if len(found) >= Most {
			crowded = append(crowded, time.Unix(from, 0).UTC())
		}
		for _, r := range found {
			if id := r["@ptr"]; id == "" || !seen[id] {
				seen[id] = true
				rows = append(rows, r)
			}
		}
		return nil
	}
	err = within(from.Unix(), to.Unix())
	return rows, crowded, err
}

// once runs one query and waits for its end. If nobody waits any longer, it stops the
// query, which would cost until it is done.
func (c Client) once(ctx context.Context, groups []string, from, to int64, query string) ([]Row, error) {
	id, err := c.start(ctx, &cloudwatchlogs.StartQueryInput{
		LogGroupNames: groups, StartTime: aws.Int64(from), EndTime: aws.Int64(to), QueryString: aws.String(query), Limit: aws.Int32(Most),
	})
	if err != nil {
		return nil, err
	}
	pause := firstPause
	if c.Pause > 0 {
		pause = c.Pause
	}
	for {
		out, err := c.Logs.GetQueryResults(ctx, &cloudwatchlogs.GetQueryResultsInput{QueryId: id})
		if err != nil {
			c.stop(ctx, id)
			return nil, fmt.Errorf("read the results of a query: %w", err)
		}
		switch out.Status {
		case types.QueryStatusComplete:
			return c.rest(ctx, id, out)
		case types.QueryStatusScheduled, types.QueryStatusRunning, types.QueryStatusUnknown:
		default:
			return nil, fmt.Errorf("CloudWatch Logs ended the query with status %s; ask for a shorter time", out.Status)
		}
		if err := wait(ctx, pause); err != nil {
			c.stop(ctx, id)
			return nil, err
		}
		pause = min(2*pause, longPause)
	}
}

// rest returns the rows of a first page of results and of those that follow it.
func (c Client) rest(ctx context.Context, id *string, out *cloudwatchlogs.GetQueryResultsOutput) ([]Row, error) {
	var rows []Row
	for {
		for _, fields := range out.Results {
			row := Row{}
			for _, f := range fields {
				if f.Value != nil {
					row[aws.ToString(f.Field)] = *f.Value
				}
			}
			rows = append(rows, row)
		}
		if aws.ToString(out.NextToken) == "" {
			return rows, nil
		}
		var err error
		if out, err = c.Logs.GetQueryResults(ctx, &cloudwatchlogs.GetQueryResultsInput{QueryId: id, NextToken: out.NextToken}); err != nil {
			return nil, fmt.Errorf("read the results of a query: %w", err)
		}
	}
}

// start starts a query. If too many run in the account, it waits and tries again.
func (c Client) start(ctx context.Context, in *cloudwatchlogs.StartQueryInput) (*string, error) {
	for try := 1; ; try++ {
		out, err := c.Logs.StartQuery(ctx, in)
		if err == nil {
			return out.QueryId, nil
		}
		if _, busy := errors.AsType[*types.LimitExceededException](err); !busy || try == busyTries {
			return nil, fmt.Errorf("start a query (needs logs:StartQuery): %w", err)
		}
		pause := longPause
		if c.Pause > 0 {
			pause = c.Pause
		}
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func (c Client) stop(ctx context.Context, id *string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longPause)
	defer cancel()
	_, _ = c.Logs.StopQuery(ctx, &cloudwatchlogs.StopQueryInput{QueryId: id}) // it ends by itself, only later
}

func wait(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}
