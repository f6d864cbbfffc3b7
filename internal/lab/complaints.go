package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// Complaints returns each error that the functions logged, once, for a person
// who has to find out why something was not healed.
func (a *Arena) Complaints(ctx context.Context) []string {
	logs := a.Cloud.Root().In(Region).Logs
	var found []string
	for _, f := range a.Deployment.Functions {
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(logs, &cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: aws.String(f.Logs),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				found = append(found, f.Name+": its log cannot be read: "+err.Error())
				break
			}
			for _, e := range page.Events {
				found = append(found, complaint(f.Name, aws.ToString(e.Message))...)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// complaint returns a log line if it reports an error.
func complaint(function, message string) []string {
	var line struct{ Level, Scope, Action, Error string }
	if json.Unmarshal([]byte(message), &line) != nil {
		if strings.Contains(message, "panic") || strings.Contains(message, "errorMessage") {
			return []string{function + ": " + message}
		}
		return nil
	}
	if line.Level != "ERROR" {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s %s: %s", function, line.Scope, line.Action, line.Error)}
}
