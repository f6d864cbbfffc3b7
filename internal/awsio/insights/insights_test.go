package insights_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/relight-aws/relight/internal/awsio/insights"
)

// A service answers queries with one result for each of its events, as far as the limit
// allows.
type service struct {
	events  []float64 // times in seconds
	instant bool      // the end of a query is its first instant, not its whole second
	refuses []string  // codes of the first StartQuery calls
	status  []string  // before "Complete", of each query
	queries []map[string]any
	looks   int
	stopped int
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	answer := func(v any) {
		if err := json.NewEncoder(w).Encode(v); err != nil {
			panic(err)
		}
	}
	switch op := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "Logs_20140328."); op {
	case "StartQuery":
		if len(s.refuses) > 0 {
			w.WriteHeader(http.StatusBadRequest)
			answer(map[string]string{"__type": s.refuses[0]})
			s.refuses = s.refuses[1:]
			return
		}
		s.queries, s.looks = append(s.queries, in), 0
		answer(map[string]string{"queryId": fmt.Sprint(len(s.queries) - 1)})
	case "GetQueryResults":
		if s.looks++; s.looks <= len(s.status) {
			answer(map[string]any{"status": s.status[s.looks-1]})
			return
		}
		q := s.queries[len(s.queries)-1]
		results := [][]map[string]string{}
		from, to := q["startTime"].(float64), q["endTime"].(float64)
		if !s.instant {
			to++
		}
		for i, at := range s.events {
			if (at >= from && at < to || at == to && s.instant) && len(results) < insights.Most {
				results = append(results, []map[string]string{{"field": "at", "value": fmt.Sprint(at)}, {"field": "@ptr", "value": fmt.Sprint(i)}})
			}
		}
		answer(map[string]any{"status": "Complete", "results": results})
	case "StopQuery":
		s.stopped++
		answer(map[string]any{"success": true})
	default:
		panic(op)
	}
}

func (s *service) client(t *testing.T) insights.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return insights.Client{Pause: time.Millisecond, Logs: cloudwatchlogs.New(cloudwatchlogs.Options{
		BaseEndpoint: aws.String(server.URL), Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1,
	})}
}

// More results than a query returns come from several queries, each once and in order.
// A second with more than that is reported.
func TestQueryPastTheLimit(t *testing.T) {
	from := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		perSecond, seconds, want, crowded int
	}{
		"few":                  {3, 100, 300, 0},
		"many":                 {4000, 9, 36_000, 0},
		"as many as the limit": {insights.Most / 2, 2, insights.Most, 1}, // perhaps more
	} {
		for _, instant := range []bool{false, true} {
			s := &service{instant: instant}
			for second := range tt.seconds {
				for i := range tt.perSecond {
					s.events = append(s.events, float64(from.Unix()+int64(second))+float64(i%10)/10)
				}
			}
			rows, crowded, err := s.client(t).Query(t.Context(), []string{"g"}, from, from.Add(time.Hour), "fields at")
			if err != nil || len(rows) != tt.want || instant && tt.crowded == 0 && len(crowded) != 0 {
				t.Errorf("%s, %t: %d rows, crowded %v, %v; want %d", name, instant, len(rows), crowded, err, tt.want)
			}
		}
	}
	s := &service{events: slices.Repeat([]float64{float64(from.Unix())}, insights.Most+5)}
	if rows, crowded, err := s.client(t).Query(t.Context(), []string{"g"}, from.Add(-time.Minute), from.Add(time.Minute), "fields at"); err != nil || len(rows) != insights.Most || len(crowded) == 0 {
		t.Errorf("%d rows of one second, crowded %v, %v", len(rows), crowded, err)
	}
}

func TestQueryWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		refuses, status []string
		err             string
	}{
		"running":       {nil, []string{"Scheduled", "Running", "Unknown"}, ""},
		"busy":          {[]string{"LimitExceededException", "LimitExceededException"}, nil, ""},
		"always busy":   {[]string{"LimitExceededException", "LimitExceededException", "LimitExceededException", "LimitExceededException", "LimitExceededException"}, nil, "LimitExceededException"},
		"denied":        {[]string{"AccessDeniedException"}, nil, "logs:StartQuery"},
		"timed out":     {nil, []string{"Running", "Timeout"}, "status Timeout"},
		"failed":        {nil, []string{"Failed"}, "status Failed"},
		"stopped by us": {nil, []string{"Cancelled"}, "status Cancelled"},
	} {
		s := &service{events: []float64{5}, refuses: tt.refuses, status: tt.status}
		rows, _, err := s.client(t).Query(t.Context(), []string{"g"}, time.Unix(0, 0), time.Unix(9, 0), "fields at")
		switch {
		case tt.err == "" && (err != nil || len(rows) != 1):
			t.Errorf("%s: %v, %v", name, rows, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: %v, want an error that says %s", name, err, tt.err)
		}
	}
}
