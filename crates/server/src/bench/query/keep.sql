-- Keeps the simulated city aside, for it to be repeated.
CREATE SCHEMA bench;
CREATE TABLE bench.own AS TABLE {timeline}.entry;
CREATE TABLE bench.subject AS TABLE {timeline}.subject;
CREATE TABLE bench.registered AS TABLE {timeline}.enterprise;
CREATE TABLE bench.enterprise AS TABLE {visits}.enterprise;
CREATE TABLE bench.visit AS TABLE {visits}.visit;
CREATE TABLE bench.appeal AS TABLE {appeals}.appeal;
CREATE TABLE bench.clock AS TABLE {appeals}.clock;
CREATE TABLE bench.visit_past AS TABLE {visits}.visit_past;
CREATE TABLE bench.appeal_past AS TABLE {appeals}.appeal_past;
CREATE TABLE bench.clock_past AS TABLE {appeals}.clock_past;
