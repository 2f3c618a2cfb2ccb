package transport

import (
	"net/http"

	"github.com/easelhq/easel"
)

type healthAnswer struct {
	Status  string `json:"status" enum:"ok"`
	Region  string `json:"region"`
	Node    string `json:"node"`
	Version string `json:"version"`
}

type readyAnswer struct {
	Status string `json:"status" enum:"ready"`
}

func nodeRoutes() []Route {
	return []Route{
		{
			Method: http.MethodGet, Path: "/health", Tag: "Node", Summary: "Whether the process answers; wakes nothing",
			Answer: jsonAnswer[healthAnswer](http.StatusOK), serve: (*call).health,
		},
		{
			Method: http.MethodGet, Path: "/ready", Tag: "Node", Summary: "Whether the node takes requests: 503 while it starts or drains",
			Answer: jsonAnswer[readyAnswer](http.StatusOK), serve: (*call).ready,
		},
		{
			Method: http.MethodGet, Path: "/metrics", Tag: "Node", Summary: "Prometheus metrics",
			Answer: Answer{Status: http.StatusOK, Media: "text/plain"}, serve: (*call).exposition,
		},
		{
			Method: http.MethodGet, Path: "/openapi.json", Tag: "Node", Summary: "This document",
			Answer: Answer{Status: http.StatusOK, Media: "application/json"}, serve: (*call).openapiDocument,
		},
		{
			Method: http.MethodGet, Path: "/docs", Tag: "Node", Summary: "This document, for people",
			Answer: Answer{Status: http.StatusOK, Media: "text/html"}, serve: (*call).docsDocument,
		},
	}
}

func (c *call) health() error {
	n := c.c.Node
	return c.answer(healthAnswer{Status: "ok", Region: n.Region, Node: n.Name, Version: n.Version})
}

func (c *call) ready() error {
	if ready := c.c.Node.Ready; ready != nil && !ready() {
		return easel.Errorf(easel.CodeUnavailable, "the node starts or drains")
	}
	return c.answer(readyAnswer{Status: "ready"})
}

func (c *call) exposition() error {
	if c.c.Metrics == nil {
		return easel.Errorf(easel.CodeNotFound, "no such route")
	}
	c.c.Metrics.ServeHTTP(c.w, c.r)
	return nil
}

func (c *call) openapiDocument() error {
	b, err := c.API.openapi()
	if err != nil {
		return err
	}
	writeBytes(c.w, http.StatusOK, b)
	return nil
}

func (c *call) docsDocument() error {
	h := c.w.Header()
	h["Content-Security-Policy"] = docsPolicy
	h.Set("Content-Type", "text/html; charset=utf-8")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(c.docs()) // the client may have gone
	return nil
}
