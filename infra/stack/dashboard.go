package stack

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/internal/catalog"
)

// dashboard adds a dashboard that answers three questions: is everything lit, what was
// restored lately and because of whom, and is relight itself healthy. Source: Amazon
// CloudWatch API Reference, "Dashboard body structure and syntax".
func (l lambdas) dashboard() {
	b, region := l.baseline(), *l.stack.Region()
	backfill := b.FunctionName(catalog.Backfill)
	var logs, ages, dead, failed []string
	for _, f := range b.Deployed() {
		logs = append(logs, "SOURCE '"+l.logGroup(b.FunctionName(f))+"'")
		failed = append(failed, b.FunctionName(f))
	}
	for _, q := range b.Queues(l.Home) {
		if q.Dead == "" {
			dead = append(dead, q.Name)
		} else {
			ages = append(ages, q.Name)
		}
	}
	var alarms []string
	for _, row := range b.StackAlarms {
		alarms = append(alarms, arn(l.stack, "cloudwatch", region, "alarm:"+b.Name(row.ID)))
	}
	query := func(text string) string { return strings.Join(logs, " | ") + " | " + text }
	sweep := func(metric string) []any {
		return []any{catalog.MetricNamespace, metric, catalog.MetricDimension, backfill}
	}
	interval := int(b.Guard.SweepMinutes) * 60

	var widgets []any
	y := 0
	row := func(height int, columns ...map[string]any) {
		for i, w := range columns {
			width := 24 / len(columns)
			w["x"], w["y"], w["width"], w["height"] = i*width, y, width, height
			widgets = append(widgets, w)
		}
		y += height
	}
	row(1, heading("## Is everything lit?"))
	row(5,
		graph("Not restored, and findings, by sweep", region, "Maximum", interval, sweep(catalog.MetricUnrestored), sweep(catalog.MetricFindings)),
		graph("Sweeps that finished", region, "Sum", interval, sweep(catalog.MetricSweeps)))
	row(1, heading("## What was restored lately, and because of whom?"))
	row(8, table("Restored and not restored", region, query(`fields @timestamp, severity, outcome, region, kind, target, actor, event, lag_ms, error | filter msg = "action" and outcome in ["restored", "created", "failed", "remains"] | sort @timestamp desc | limit 100`)))
	row(6, table("By caller", region, query(`filter msg = "action" and outcome in ["restored", "created"] and ispresent(actor) | stats count(*) as actions, max(@timestamp) as latest, max(lag_ms) as slowest_ms by actor, event | sort latest desc | limit 50`)))
	row(1, heading("## Is relight itself healthy?"))
	row(6, map[string]any{"type": "alarm", "properties": map[string]any{"title": "Alarms on relight itself", "alarms": alarms}})
	row(6,
		graph("Age of the oldest message (seconds)", region, "Maximum", 60, each("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", ages)...),
		graph("Dead letters", region, "Maximum", 60, each("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", dead)...),
		graph("Errors of functions", region, "Sum", 300, each("AWS/Lambda", "Errors", "FunctionName", failed)...))

	awscloudwatch.NewCfnDashboard(l.stack, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(b.Prefix),
		DashboardBody: l.stack.ToJsonString(map[string]any{"widgets": widgets}, nil),
	})
}

func heading(markdown string) map[string]any {
	return map[string]any{"type": "text", "properties": map[string]any{"markdown": markdown, "background": "transparent"}}
}

func graph(title, region, statistic string, period int, metrics ...[]any) map[string]any {
	return map[string]any{"type": "metric", "properties": map[string]any{
		"title": title, "region": region, "stat": statistic, "period": period, "view": "timeSeries", "metrics": metrics,
	}}
}

func table(title, region, query string) map[string]any {
	return map[string]any{"type": "log", "properties": map[string]any{"title": title, "region": region, "view": "table", "query": query}}
}

// each returns one metric for each value of a dimension.
func each(namespace, metric, dimension string, values []string) (metrics [][]any) {
	for _, v := range values {
		metrics = append(metrics, []any{namespace, metric, dimension, v})
	}
	return metrics
}
